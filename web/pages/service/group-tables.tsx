import type {
  Figures,
  InstanceFigures,
  PeerFigures,
  RegionFigures,
  ServiceAnswer,
} from '../../../server/api/contract.ts';
import { type Column, DataTable } from '../../components/data-table.tsx';
import { Download } from '../../components/download.tsx';
import { explained, explainedAlone } from '../../components/explained.ts';
import { type FigureContext, figureColumns, readsWellInMilliseconds } from '../../components/figure-columns.tsx';
import { HealthShape } from '../../components/health-shape.tsx';
import { ShareBar } from '../../components/share-bar.tsx';
import { figureRecord } from '../../export/records.ts';
import { callsRemark, judgeCalls, worstCallsFirst } from '../../figures/calls.ts';
import { type Circumstances, percentileInWords } from '../../figures/explain.ts';
import type { Health } from '../../figures/health.ts';
import { failingRows, slowFactors } from '../../figures/outliers.ts';
import { share, text } from '../../format/number.ts';
import { addressOf } from '../../state/router.ts';

interface GroupTableProps {
  readonly answer: ServiceAnswer;
  readonly context: Circumstances;
}

function figureContext(rows: readonly Figures[], { window }: Circumstances): FigureContext {
  return { window, inMilliseconds: readsWellInMilliseconds(rows) };
}

/** How the requests spread over rows. */
function shareColumn<Row extends Figures>(rows: readonly Row[]): Column<Row> {
  const total = rows.reduce((sum, { requests }) => sum + (requests ?? 0), 0);
  return {
    key: 'share',
    title: 'Share',
    numeric: true,
    meaning: 'Share of the requests of this table',
    cell: ({ requests }) => (requests === null || total === 0 ? null : <ShareBar part={requests / total} />),
  };
}

const HEALTH_OF: Readonly<Record<InstanceFigures['health'], readonly [Health, string]>> = {
  up: ['good', 'up'],
  down: ['bad', 'down: its sidecar does not answer'],
  unknown: ['unknown', 'not asked yet'],
};

/** Every instance, with those that stand out marked. */
export function InstancesTable({ answer, context }: GroupTableProps) {
  const rows = answer.byInstance;
  const slow = new Map(slowFactors(rows).map((factor, index) => [rows[index]?.instance, factor]));
  const failing = failingRows(rows);
  const failingNames = new Set(rows.filter((_, index) => failing[index]).map(({ instance }) => instance));
  const head: Column<InstanceFigures> = {
    key: 'instance',
    title: 'Instance',
    isHead: true,
    cell: (row) => {
      const { instance, region, zone, health } = row;
      const factor = health === 'up' ? (slow.get(instance) ?? null) : null;
      const fails = health === 'up' && failingNames.has(instance);
      const marked = fails ? (['bad', 'failing'] as const) : factor !== null && (['warn', 'slow'] as const);
      const [shape, words] = marked || HEALTH_OF[health];
      return (
        <>
          <HealthShape health={shape} words={words} />{' '}
          <a
            href={addressOf({ name: 'instance', service: answer.service, namespace: answer.namespace, instance })}
            {...explained(percentileInWords('p99', row, context))}
          >
            {instance}
          </a>{' '}
          <span class="namespace place">{[region, zone].filter(Boolean).join(' / ')}</span>{' '}
          {fails && <span class="remark bad">{text(share(row.errorRate))} failing</span>}{' '}
          {factor !== null && <span class="remark warn">{`p95 ${Number(factor.toPrecision(2))} × the others`}</span>}
          {health === 'down' && <span class="remark bad">down</span>}
        </>
      );
    },
  };
  return (
    <section class="panel instances rows-by-key">
      <div class="panel-head">
        <h2>
          Instances <span class="unit">{rows.length}</span>
        </h2>
        {rows.length > 0 && (
          <Download
            name={`${answer.service} instances`}
            records={() =>
              rows.map((row) => ({
                instance: row.instance,
                region: row.region,
                zone: row.zone,
                health: row.health,
                ...figureRecord(row),
              }))
            }
          />
        )}
      </div>
      {rows.length > 0 && answer.vantage === 'client' && (
        <p class="basis">Its callers measured it, and do not tell its instances apart.</p>
      )}
      {rows.length === 0 ? (
        <p class="nothing">Seen only by its callers, which do not tell its instances apart.</p>
      ) : (
        <DataTable
          name="group-table"
          caption={`Instances of ${answer.service} over the last ${context.window}`}
          captionHidden
          columns={[
            head,
            ...figureColumns<InstanceFigures>(figureContext(rows, context), () => context.vantage),
            shareColumn(rows),
          ]}
          rows={rows}
          rowKey={({ instance }) => instance}
        />
      )}
    </section>
  );
}

/** The service in each region. */
export function RegionsTable({ answer, context }: GroupTableProps) {
  const rows = answer.byRegion;
  const head: Column<RegionFigures> = {
    key: 'region',
    title: 'Region',
    isHead: true,
    cell: ({ region }) => region || <span class="missing">no region known</span>,
  };
  return (
    <section class="panel regions">
      <div class="panel-head">
        <h2>Regions</h2>
        {rows.length > 0 && (
          <Download
            name={`${answer.service} regions`}
            records={() => rows.map((row) => ({ region: row.region, ...figureRecord(row) }))}
          />
        )}
      </div>
      {rows.length === 0 ? (
        <p class="nothing">
          {answer.vantage === 'client'
            ? 'Seen only by its callers, which do not tell its regions apart.'
            : 'No region is known.'}
        </p>
      ) : (
        <DataTable
          name="group-table"
          caption={`Regions of ${answer.service} over the last ${context.window}`}
          captionHidden
          columns={[
            head,
            ...figureColumns<RegionFigures>(figureContext(rows, context), () => context.vantage),
            shareColumn(rows),
          ]}
          rows={rows}
          rowKey={({ region }) => region}
          rowExplanation={(row) => explainedAlone(percentileInWords('p99', row, context))}
        />
      )}
    </section>
  );
}

interface PeersTableProps extends GroupTableProps {
  readonly side: 'upstreams' | 'downstreams';
}

const SIDES = {
  upstreams: {
    title: 'Upstreams',
    meaning: 'Services that it calls, as its own sidecars measured them',
    none: 'It called no other service',
  },
  downstreams: {
    title: 'Downstreams',
    meaning: 'Services that call it, as their sidecars measured it',
    none: 'No known service called it',
  },
};

/** The services it calls, or those that call it. Both are measured at the caller. */
export function PeersTable({ side, answer, context }: PeersTableProps) {
  const rows = worstCallsFirst(answer[side]);
  const { title, meaning, none } = SIDES[side];
  const measured = { ...context, vantage: 'client' } as const;
  const head: Column<PeerFigures> = {
    key: 'peer',
    title: 'Service',
    isHead: true,
    cell: (row) => (
      <>
        <HealthShape health={judgeCalls(row)} words="" />{' '}
        <a
          href={addressOf({ name: 'service', service: row.service, namespace: row.namespace })}
          {...explained(percentileInWords('p99', row, measured))}
        >
          {row.service}
        </a>{' '}
        {row.namespace !== '' && <span class="namespace">{row.namespace}</span>}{' '}
        <span class={`remark ${judgeCalls(row)}`}>{callsRemark(row)}</span>
      </>
    ),
  };
  return (
    <section class={`panel rows-by-key ${side}`}>
      <div class="panel-head">
        <h2>{title}</h2>
        {rows.length > 0 && (
          <Download
            name={`${answer.service} ${side}`}
            records={() =>
              rows.map((row) => ({ service: row.service, namespace: row.namespace, ...figureRecord(row) }))
            }
          />
        )}
      </div>
      <p class="basis">{meaning}</p>
      {rows.length === 0 ? (
        <p class="nothing">{`${none} in the last ${context.window}.`}</p>
      ) : (
        <DataTable
          name="group-table"
          caption={`${title} of ${answer.service} over the last ${context.window}`}
          captionHidden
          columns={[head, ...figureColumns<PeerFigures>(figureContext(rows, measured), () => 'client')]}
          rows={rows}
          rowKey={(row) => JSON.stringify([row.namespace, row.service])}
        />
      )}
    </section>
  );
}
