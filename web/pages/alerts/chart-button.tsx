import { changeView } from '../../state/router.ts';
import { type Alarm, alarmKey } from './alert-moment.ts';

interface ChartButtonProps {
  readonly alarm: Alarm;
  /** Key of the alarm whose chart is shown. */
  readonly focus: string;
}

/** Shows the chart of an alarm's moment. */
export function ChartButton({ alarm, focus }: ChartButtonProps) {
  const key = alarmKey(alarm);
  return (
    <button
      type="button"
      class="small"
      aria-pressed={key === focus}
      aria-label={`Chart of ${alarm.name}`}
      onClick={() => changeView({ focus: key })}
    >
      Chart
    </button>
  );
}
