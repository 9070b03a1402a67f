import type { ChartData } from '../../charts/chart-data.ts';
import { AlertsBadge } from '../../components/alerts-badge.tsx';
import type { Column } from '../../components/data-table.tsx';
import { explained, explainedByPointer } from '../../components/explained.ts';
import { Figure } from '../../components/figure.tsx';
import { type FigureContext, figureColumns } from '../../components/figure-columns.tsx';
import { HealthShape } from '../../components/health-shape.tsx';
import { Sparkline } from '../../components/sparkline.tsx';
import { changesOf, changeText, noChangeInWords } from '../../figures/change.ts';
import { healthInWords, remark, serviceInWords } from '../../figures/explain.ts';
import { judge } from '../../figures/health.ts';
import { trendInWords } from '../../figures/trend-words.ts';
import { DASH, milliseconds, rate, text } from '../../format/number.ts';
import type { ListedService } from '../../listed-service.ts';
import { addressOf } from '../../state/router.ts';
import type { Trends } from './trends.ts';

export interface FleetContext extends FigureContext {
  /** Trends by service; null until they have come. */
  readonly trends: Trends | null;
  /** Null where nothing is compared; `of` tells nothing until it has come. */
  readonly before: Before | null;
}

/** Services as they were before. */
export interface Before {
  /** Such as `1 day ago`. */
  readonly ago: string;
  /** In what steps that is kept, in words. */
  readonly kept: string;
  /** Null where it was not known. */
  of(service: ListedService): ListedService | null;
}

/** The columns of the fleet's table, from left to right. */
export function fleetColumns(context: FleetContext): Column<ListedService>[] {
  return [
    serviceColumn(context),
    ...figureColumns<ListedService>({ ...context, sortable: true }, (service) => service.vantage),
    ...(context.before
      ? [changeColumn('rate', context, context.before), changeColumn('p99', context, context.before)]
      : []),
    trendColumn('rate', 'Rate trend', context),
    trendColumn('p99', 'p99 trend', context),
    instancesColumn(),
    regionsColumn(),
    alertsColumn(),
  ];
}

function serviceColumn({ window }: FleetContext): Column<ListedService> {
  return {
    key: 'service',
    title: 'Service',
    isHead: true,
    width: 'minmax(170px, 32fr)',
    sortable: 'ascending',
    cell: (service) => (
      <>
        <HealthShape health={judge(service).health} words={healthInWords(service)} />{' '}
        <a
          href={addressOf({ name: 'service', service: service.service, namespace: service.namespace })}
          {...explained(serviceInWords(service, window))}
        >
          {service.service}
        </a>{' '}
        {service.namespace !== '' && <span class="namespace">{service.namespace}</span>}{' '}
        <span class={`remark ${judge(service).health}`}>{remark(service)}</span>
      </>
    ),
  };
}

const CHANGE_TITLES = { rate: 'Rate Δ', p99: 'p99 Δ' } as const;
/** From which growth on a slower p99 is marked. */
const MARKED_GROWTH = 0.25;

function changeColumn(kind: 'rate' | 'p99', { window }: FleetContext, before: Before): Column<ListedService> {
  const what = kind === 'rate' ? 'The rate' : 'p99';
  const kept = before.kept === '' ? '' : ` That time is ${before.kept}.`;
  return {
    key: `change${kind}`,
    width: 'minmax(68px, 6fr)',
    title: CHANGE_TITLES[kind],
    meaning: `${what} over the last ${window} against ${before.ago}.${kept}`,
    numeric: true,
    sortable: 'descending',
    cell: (service) => {
      const then = before.of(service);
      const change = changesOf(service, then)[kind];
      if (!change)
        return (
          <Figure quantity={{ digits: DASH, unit: '' }} words={noChangeInWords(kind, service, then, before.ago)} />
        );
      const value = (amount: number) => text(kind === 'rate' ? rate(amount) : milliseconds(amount));
      const marked = kind === 'p99' && change.ratio >= MARKED_GROWTH;
      return (
        <span
          class={marked ? 'figure change short' : 'figure change'}
          {...explainedByPointer(`${value(change.now)} now, ${value(change.before)} ${before.ago}`)}
        >
          {changeText(change)}
        </span>
      );
    },
  };
}

function trendColumn(kind: 'rate' | 'p99', title: string, { window, trends }: FleetContext): Column<ListedService> {
  const words = (trend: ChartData | null) =>
    trends === null ? 'The trend is on its way.' : trendInWords(kind, trend, window);
  return {
    key: `trend${kind}`,
    width: 'var(--trend-width)',
    title,
    cell: ({ service, namespace }) => {
      const trend = (kind === 'rate' ? trends?.rate(service, namespace) : trends?.latency(service, namespace)) ?? null;
      return <Sparkline trend={trend} words={words(trend)} kind={kind} />;
    },
  };
}

function instancesColumn(): Column<ListedService> {
  return {
    key: 'instances',
    width: 'minmax(48px, 5fr)',
    title: 'Up',
    meaning: 'Sidecars that answered the last scrape, of all known',
    numeric: true,
    sortable: 'descending',
    cell: ({ instances: { up, total } }) =>
      total === 0 ? (
        <span
          class="figure missing"
          {...explainedByPointer('No sidecar of its own is known: its callers measured it.')}
        >
          none
        </span>
      ) : (
        <span
          class={up < total ? 'figure short' : 'figure'}
          {...explainedByPointer(`${up} of ${total} sidecars answered the last scrape`)}
        >
          {up}/{total}
        </span>
      ),
  };
}

function alertsColumn(): Column<ListedService> {
  return {
    key: 'alerts',
    width: 'minmax(50px, 6fr)',
    title: 'Alerts',
    meaning: 'Alerts that fire (■), and that are about to (▲)',
    sortable: 'descending',
    cell: ({ alerts }) => <AlertsBadge alerts={alerts} />,
  };
}

const REGIONS_SHOWN = 2;

function regionsColumn(): Column<ListedService> {
  return {
    key: 'regions',
    width: 'minmax(90px, 13fr)',
    title: 'Regions',
    cell: ({ regions }) => (
      <span {...(regions.length > REGIONS_SHOWN ? explainedByPointer(regions.join(', ')) : {})}>
        {regions.slice(0, REGIONS_SHOWN).join(' ')}
        {regions.length > REGIONS_SHOWN && <span class="unit"> +{regions.length - REGIONS_SHOWN}</span>}
        {regions.length === 0 && <span class="unseen">not known</span>}
      </span>
    ),
  };
}
