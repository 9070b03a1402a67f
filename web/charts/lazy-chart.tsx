import { signal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { Refused } from '../api.ts';
import { Download } from '../components/download.tsx';
import { chartRecords } from '../export/records.ts';
import { changeView, location } from '../state/router.ts';
import type { ChartUnit } from './axis-label.ts';
import type { ChartData } from './chart-data.ts';

/** The charting code comes when the first chart does: the fleet has none. */
const panel = signal<typeof import('./chart-panel.tsx').default | null>(null);

async function loadPanel(): Promise<void> {
  if (panel.peek()) return;
  const loaded = await import('./chart-panel.tsx');
  panel.value = loaded.default;
}

interface LazyChartProps {
  /** The chart's name in the address. */
  readonly name: string;
  readonly title: string;
  /** What it is of; names the files that are saved. */
  readonly subject: string;
  /** What the values rest on. */
  readonly basis: string;
  readonly kind: 'stacked' | 'lines';
  readonly unit: ChartUnit;
  readonly data: ChartData | null;
  /** Why there is no data; null where it is on its way. */
  readonly error: Error | null;
  readonly logarithmic?: boolean;
  onLogarithmic?(next: boolean): void;
}

/** A chart in its place from the start, filled once code and data are there. */
export function LazyChart({
  name,
  title,
  subject,
  basis,
  kind,
  unit,
  data,
  error,
  logarithmic = false,
  onLogarithmic,
}: LazyChartProps) {
  useEffect(() => void loadPanel(), []);
  const { tables } = location.value.view;
  const asTable = tables.includes(name);
  const toggleTable = () =>
    changeView({ tables: asTable ? tables.filter((each) => each !== name) : [...tables, name] }, { replace: true });
  const Panel = panel.value;
  return (
    <section class={`panel chart ${name}`}>
      <div class="panel-head">
        <h2>{title}</h2>
        {onLogarithmic && !asTable && (
          <button type="button" class="small" aria-pressed={logarithmic} onClick={() => onLogarithmic(!logarithmic)}>
            Log scale
          </button>
        )}
        <button
          type="button"
          class="small"
          aria-pressed={asTable}
          aria-label={`${title} as a table`}
          onClick={toggleTable}
        >
          Table
        </button>
        {data && <Download name={`${subject} ${title}`} records={() => chartRecords(data, unit)} />}
      </div>
      <p class="basis">{basis}</p>
      <div class="chart-body">
        {!data && error instanceof Refused && <p class="nothing">{error.message}</p>}
        {Panel && data && (
          <Panel title={title} kind={kind} unit={unit} data={data} logarithmic={logarithmic} asTable={asTable} />
        )}
      </div>
    </section>
  );
}
