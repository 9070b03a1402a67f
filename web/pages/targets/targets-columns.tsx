import type { TargetStatus } from '../../../server/api/contract.ts';
import type { Column } from '../../components/data-table.tsx';
import { explainedByPointer } from '../../components/explained.ts';
import { Figure } from '../../components/figure.tsx';
import { HealthShape } from '../../components/health-shape.tsx';
import { bytes, count, DASH, milliseconds, type Quantity } from '../../format/number.ts';
import { ago, dateTime, spanInWords } from '../../format/time.ts';
import { addressOf } from '../../state/router.ts';
import { addressOfTarget } from './targets-order.ts';

const HEALTH = {
  up: ['good', 'up'],
  down: ['bad', 'down'],
  unknown: ['unknown', 'not asked yet'],
} as const;

const PRECISION = {
  bins: ['full bins', 'Latencies come from Envoy’s full bins: within a few per cent.'],
  buckets: ['buckets', 'This Envoy gives coarse buckets only, so percentiles are rough.'],
  none: ['none', 'This target gives no latency histogram.'],
  unknown: ['', 'Not known before the first scrape.'],
} as const;

/** What a target is and how it does, in a sentence. */
export function targetInWords(target: TargetStatus): string {
  const [, words] = HEALTH[target.health];
  const place = addressOfTarget(target);
  return target.lastError === '' ? `${place}: ${words}` : `${place}: ${words}. ${target.lastError}`;
}

/** The columns of the targets' table; `now` is what "ago" counts from. */
export function targetColumns(now: number): Column<TargetStatus>[] {
  return [
    {
      key: 'target',
      width: 'minmax(200px, 30fr)',
      title: 'Target',
      isHead: true,
      sortable: 'ascending',
      cell: (target) => <TargetName target={target} />,
    },
    { key: 'labels', width: 'minmax(160px, 22fr)', title: 'Labels', cell: (target) => <Labels target={target} /> },
    {
      key: 'scraped',
      width: 'minmax(88px, 8fr)',
      title: 'Last scrape',
      numeric: true,
      sortable: 'ascending',
      cell: ({ lastScrape }) => (
        <span {...explainedByPointer(lastScrape === null ? 'Not asked yet' : dateTime(lastScrape))}>
          {ago(lastScrape, now)}
        </span>
      ),
    },
    {
      key: 'duration',
      width: 'minmax(72px, 7fr)',
      title: 'Took',
      numeric: true,
      sortable: 'descending',
      cell: (target) => known(milliseconds(target.scrapeDurationMs)),
    },
    {
      key: 'every',
      width: 'minmax(120px, 9fr)',
      title: 'Every',
      numeric: true,
      sortable: 'descending',
      meaning: 'Time between two scrapes: longer than configured while a target answers slowly',
      cell: (target) => <Pace target={target} />,
    },
    {
      key: 'body',
      width: 'minmax(72px, 7fr)',
      title: 'Body',
      numeric: true,
      sortable: 'descending',
      cell: (target) => known(bytes(target.bodyBytes)),
    },
    {
      key: 'samples',
      width: 'minmax(84px, 7fr)',
      title: 'Stats used',
      numeric: true,
      sortable: 'descending',
      meaning: 'Stats of the last answer that Sidelight uses',
      cell: (target) => known({ digits: count(target.samples), unit: '' }),
    },
    {
      key: 'precision',
      width: 'minmax(92px, 8fr)',
      title: 'Latency from',
      cell: ({ precision }) => {
        const [label, words] = PRECISION[precision];
        return label === '' ? known({ digits: DASH, unit: '' }) : <span {...explainedByPointer(words)}>{label}</span>;
      },
    },
    {
      key: 'version',
      width: 'minmax(64px, 6fr)',
      title: 'Envoy',
      sortable: 'descending',
      cell: ({ envoyVersion }) => envoyVersion || known({ digits: DASH, unit: '' }),
    },
  ];
}

function known(quantity: Quantity) {
  return <Figure quantity={quantity} words={quantity.digits === DASH ? 'not known yet' : ''} />;
}

/** How often it is asked, and why less often than configured; what asking costs it, to a pointer. */
function Pace({ target: { intervalMs, slowedDown, busyShare } }: { readonly target: TargetStatus }) {
  if (intervalMs === null) return known({ digits: DASH, unit: '' });
  const share = busyShare === null ? '' : `Busy with answering for ${(busyShare * 100).toPrecision(2)} % of the time`;
  return (
    <>
      <span {...explainedByPointer(share)}>{spanInWords(intervalMs)}</span>
      {slowedDown !== '' && <span class="error-text">slowed down: {slowedDown}</span>}
    </>
  );
}

function TargetName({ target }: { readonly target: TargetStatus }) {
  const [shape, words] = HEALTH[target.health];
  const { service = '', namespace = '', instance = '' } = target.labels;
  return (
    <>
      <HealthShape health={shape} words={words} />{' '}
      {service === '' ? (
        addressOfTarget(target)
      ) : (
        <a href={addressOf({ name: 'service', service, namespace })}>{service}</a>
      )}{' '}
      {service !== '' && instance !== '' && (
        <a class="instance-link" href={addressOf({ name: 'instance', service, namespace, instance })}>
          {instance}
        </a>
      )}{' '}
      <span class="namespace">{service === '' ? '' : addressOfTarget(target)}</span>
      {target.lastError !== '' && <span class="error-text">{target.lastError}</span>}
      {target.note !== '' && <span class="unit">{target.note}</span>}
    </>
  );
}

/** Name and address stand beside it, and a sidecar is what every target is unless it says otherwise. */
function isShownElsewhere(name: string, value: string): boolean {
  return (
    ['service', 'instance', 'address'].includes(name) ||
    name.startsWith('__') ||
    (name === 'role' && value === 'sidecar')
  );
}

function Labels({ target }: { readonly target: TargetStatus }) {
  const labels = Object.entries(target.labels).filter(
    ([name, value]) => value !== '' && !isShownElsewhere(name, value),
  );
  return (
    <>
      <LabelList labels={labels} />
      <details class="found-labels">
        <summary>as discovered</summary>
        <LabelList labels={Object.entries(target.discoveredLabels)} />
      </details>
    </>
  );
}

function LabelList({ labels }: { readonly labels: readonly [string, string][] }) {
  return (
    <ul class="labels">
      {labels.toSorted().map(([name, value]) => (
        <li key={name}>
          <span class="unit">{name}=</span>
          {value}
        </li>
      ))}
    </ul>
  );
}
