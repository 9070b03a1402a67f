import type { AlertFiringItem } from '../../../server/api/contract.ts';
import { api } from '../../api.ts';
import { type Column, DataTable } from '../../components/data-table.tsx';
import { Download } from '../../components/download.tsx';
import { explainedAlone } from '../../components/explained.ts';
import { HealthShape } from '../../components/health-shape.tsx';
import { ago, dateTime, span } from '../../format/time.ts';
import { useAnswer } from '../../state/answer.ts';
import { AlertLabels } from './alert-labels.tsx';
import { alarmKey, alarmOfFiring } from './alert-moment.ts';
import { ChartButton } from './chart-button.tsx';

const DAY = { window: '1d', windowMs: 86_400_000, until: null };
const EVERY_MS = 60_000;

/** Times that alerts fired in the last day and that are over. */
export function useEnded(): readonly AlertFiringItem[] {
  const { data } = useAnswer(api.alertHistory(null, DAY), EVERY_MS).value;
  return (data?.firings ?? []).filter(({ resolvedAt }) => resolvedAt !== null);
}

interface EndedAlertsProps {
  readonly ended: readonly AlertFiringItem[];
  /** Whether others stand above. */
  readonly areOthers: boolean;
  readonly now: number;
  readonly focus: string;
}

export function EndedAlerts({ ended, areOthers, now, focus }: EndedAlertsProps) {
  if (ended.length === 0) return <p class="nothing">No {areOthers && 'other '}alert ended in the last day.</p>;
  return (
    <div class="rows-by-key">
      <div class="tools">
        <h2>Ended in the last day</h2>
        <Download name="ended alerts" records={() => ended} />
      </div>
      <DataTable
        name="alerts-table ended"
        caption="Ended in the last day"
        captionHidden
        columns={endedColumns(now, focus)}
        rows={ended}
        rowKey={(firing) => alarmKey(alarmOfFiring(firing))}
        rowExplanation={({ name, firedAt }) => explainedAlone(`${name} fired ${dateTime(firedAt)}`)}
      />
    </div>
  );
}

function endedColumns(now: number, focus: string): Column<AlertFiringItem>[] {
  return [
    {
      key: 'alert',
      title: 'Alert',
      isHead: true,
      cell: ({ name, annotations }) => (
        <>
          <HealthShape health="good" words="ended" /> <b>{name}</b>
          <span class="explanation">{annotations.summary ?? ''}</span>
        </>
      ),
    },
    { key: 'labels', title: 'Of', cell: ({ labels }) => <AlertLabels labels={labels} /> },
    { key: 'value', title: 'Value', numeric: true, cell: ({ valueText }) => valueText },
    { key: 'threshold', title: 'Threshold', numeric: true, cell: ({ thresholdText }) => thresholdText },
    {
      key: 'fired',
      title: 'Fired',
      numeric: true,
      cell: ({ firedAt }) => <span data-hint={ago(firedAt, now)}>{dateTime(firedAt)}</span>,
    },
    {
      key: 'lasted',
      title: 'For',
      numeric: true,
      cell: ({ firedAt, resolvedAt }) => span((resolvedAt ?? now) - firedAt),
    },
    { key: 'chart', title: 'Chart', cell: (firing) => <ChartButton alarm={alarmOfFiring(firing)} focus={focus} /> },
  ];
}
