import type { StorageStatus, StorageTier } from '../../../server/api/contract.ts';
import { type Column, DataTable } from '../../components/data-table.tsx';
import { Download } from '../../components/download.tsx';
import { HealthShape } from '../../components/health-shape.tsx';
import { bytes, configuredSize, count, DASH, text } from '../../format/number.ts';
import { dateTime, span, spanInWords } from '../../format/time.ts';
import { Facts } from './facts.tsx';

interface StoragePanelProps {
  readonly storage: StorageStatus;
  readonly now: number;
}

/** Where the past is kept, how much of it, and whether that goes well. */
export function StoragePanel({ storage, now }: StoragePanelProps) {
  const failing = storage.state === 'failing';
  return (
    <section class="panel storage-panel">
      <div class="panel-head">
        <HealthShape health={failing ? 'bad' : storage.notice === '' ? 'good' : 'warn'} words="" />
        <h2>
          Storage{' '}
          <span class="unit">{failing ? 'failing' : storage.notice === '' ? 'ok' : 'not everything is kept'}</span>
        </h2>
        <Download name="tiers" records={() => storage.tiers} />
      </div>
      <SizeBar storage={storage} />
      <Facts
        facts={[
          ['File', storage.path === ':memory:' ? 'none: kept in memory only' : <code key="path">{storage.path}</code>],
          [
            'Size',
            `${text(bytes(storage.bytes))} on disk, ${text(bytes(storage.usedBytes))} in use, at most ${configuredSize(storage.maxBytes)}`,
          ],
          [
            'Reaches back',
            storage.oldest === null
              ? 'nothing is stored yet'
              : `${span(now - storage.oldest)}, to ${dateTime(storage.oldest)}`,
          ],
          ['Behind', storage.lagMs === null ? `${DASH} nothing is stored yet` : span(storage.lagMs)],
          ['Not packed yet', `${count(storage.logRows)} scrapes`],
          ['Form', `version ${storage.schemaVersion}`],
        ]}
      />
      {storage.tiers.length > 0 && (
        <DataTable
          name="tiers-table"
          caption="Tiers: the older, the coarser"
          columns={tierColumns(now)}
          rows={storage.tiers}
          rowKey={({ name }) => name}
        />
      )}
    </section>
  );
}

function SizeBar({ storage: { usedBytes, maxBytes } }: Pick<StoragePanelProps, 'storage'>) {
  const part = maxBytes > 0 ? Math.min(1, usedBytes / maxBytes) : 0;
  return (
    <svg class="size-bar" viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true">
      <rect class="whole" width="100" height="6" />
      <rect class={part > 0.9 ? 'part full' : 'part'} width={100 * part} height="6" />
    </svg>
  );
}

function tierColumns(now: number): Column<StorageTier>[] {
  return [
    { key: 'name', title: 'Tier', isHead: true, cell: ({ name }) => name },
    {
      key: 'step',
      title: 'Step',
      numeric: true,
      cell: ({ stepMs }) => (stepMs > 0 ? spanInWords(stepMs) : 'each scrape'),
    },
    { key: 'asked', title: 'Asked to keep', numeric: true, cell: ({ retentionMs }) => spanInWords(retentionMs) },
    {
      key: 'kept',
      title: 'Can keep',
      meaning: 'How long it can be kept within the largest size',
      numeric: true,
      cell: ({ keptMs, retentionMs }) => (
        <span class={keptMs < retentionMs ? 'figure short' : 'figure'}>{keptMs > 0 ? span(keptMs) : DASH}</span>
      ),
    },
    {
      key: 'holds',
      title: 'Holds',
      numeric: true,
      cell: ({ oldest }) =>
        oldest === null ? (
          <span class="missing">
            <span aria-hidden="true">{DASH} </span>nothing yet
          </span>
        ) : (
          span(now - oldest)
        ),
    },
    { key: 'bytes', title: 'Size', numeric: true, cell: (tier) => text(bytes(tier.bytes)) },
  ];
}
