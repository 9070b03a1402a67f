import type { ComponentChildren } from 'preact';
import type { TargetStatus } from '../../../server/api/contract.ts';
import { Download } from '../../components/download.tsx';
import { Figure } from '../../components/figure.tsx';
import { HealthShape } from '../../components/health-shape.tsx';
import { targetRecord } from '../../export/records.ts';
import { bytes, count, DASH, milliseconds, type Quantity } from '../../format/number.ts';
import { ago, dateTime } from '../../format/time.ts';
import { live } from '../../state/collector.ts';
import { addressOfTarget } from '../targets/targets-order.ts';
import { certificateInWords, intervalInWords, restartsInWords, type Told, uptimeInWords } from './sidecar-words.ts';

const PRECISION = {
  bins: 'Envoy’s full bins: percentiles within a few per cent',
  buckets: 'coarse buckets only: percentiles are rough',
  none: 'no latency histogram',
  unknown: 'not known before the first scrape',
} as const;

const FAILURES: Readonly<Record<TargetStatus['failureSource'], string>> = {
  grpc_stats: 'the status of HTTP, and that of gRPC from the filter grpc_stats',
  clusters: 'the status of HTTP, and rq_error of the hosts in /clusters',
  istio: 'the labels of Istio',
  status: 'the status of HTTP only: failed gRPC calls are not seen',
  mixed: 'not the same everywhere',
  unknown: 'not known yet',
};

/** What the sidecar says of itself, and what asking it costs. */
export function SidecarFacts({ sidecar }: { readonly sidecar: TargetStatus }) {
  const { lastScrape, lastError, clusters } = sidecar;
  const now = live.latestTick.value?.at ?? Date.now();
  return (
    <section class="panel sidecar">
      <div class="panel-head">
        <h2>Sidecar</h2>
        <Download name={`${sidecar.labels.instance ?? ''} sidecar`} records={() => [targetRecord(sidecar)]} />
      </div>
      {lastError !== '' && <p class="error-text">{lastError}</p>}
      {sidecar.note !== '' && <p class="basis">{sidecar.note}</p>}
      <dl class="facts-list">
        <Fact title="Admin address">{addressOfTarget(sidecar)}</Fact>
        <Fact title="Envoy">{sidecar.envoyVersion || known({ digits: DASH, unit: '' })}</Fact>
        <Fact title="Up for">{uptimeInWords(sidecar, now)}</Fact>
        <Fact title="Restarts">
          <Marked {...restartsInWords(sidecar)} />
        </Fact>
        <Fact title="Certificates">
          <Marked {...certificateInWords(sidecar, now)} />
        </Fact>
        <Fact title="Last scrape">
          {lastScrape === null ? 'not asked yet' : `${dateTime(lastScrape)}, ${ago(lastScrape, now)}`}
        </Fact>
        <Fact title="Asked">{intervalInWords(sidecar)}</Fact>
        <Fact title="It took">{known(milliseconds(sidecar.scrapeDurationMs))}</Fact>
        <Fact title="Body">{known(bytes(sidecar.bodyBytes))}</Fact>
        <Fact title="Stats used">{known({ digits: count(sidecar.samples), unit: '' })}</Fact>
        <Fact title="Latency from">{PRECISION[sidecar.precision]}</Fact>
        <Fact title="Failures told by">{FAILURES[sidecar.failureSource]}</Fact>
        {clusters && (
          <Fact title="/clusters">
            {clusters.error || (
              <>
                {known(milliseconds(clusters.durationMs))}, {known(bytes(clusters.bodyBytes))}
              </>
            )}
          </Fact>
        )}
      </dl>
    </section>
  );
}

function Marked({ words, health }: Told) {
  if (health === 'good') return words;
  return (
    <>
      <HealthShape health={health} words="" /> {words}
    </>
  );
}

function known(quantity: Quantity) {
  return <Figure quantity={quantity} words={quantity.digits === DASH ? 'not known yet' : ''} />;
}

function Fact({ title, children }: { readonly title: string; readonly children: ComponentChildren }) {
  return (
    <div>
      <dt>{title}</dt>
      <dd>{children}</dd>
    </div>
  );
}
