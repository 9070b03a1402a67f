import type { ChartData } from '../../charts/chart-data.ts';
import { AlertsBadge } from '../../components/alerts-badge.tsx';
import { explained, explainedAlone } from '../../components/explained.ts';
import { Figure } from '../../components/figure.tsx';
import { HealthShape } from '../../components/health-shape.tsx';
import { Sparkline } from '../../components/sparkline.tsx';
import { isCapped } from '../../figures/capped.ts';
import { percentileInWords } from '../../figures/explain.ts';
import type { Health } from '../../figures/health.ts';
import { trendInWords } from '../../figures/trend-words.ts';
import { count, milliseconds, rate, success } from '../../format/number.ts';
import type { ListedService } from '../../listed-service.ts';
import { addressOf } from '../../state/router.ts';
import { meshTotals } from './totals.ts';

interface MeshStripProps {
  readonly services: readonly ListedService[];
  readonly window: string;
  readonly trend: ChartData | null;
}

const HEALTH_WORDS: readonly (readonly [Health, string])[] = [
  ['bad', 'failing'],
  ['warn', 'degraded'],
  ['good', 'good'],
  ['quiet', 'no traffic'],
  ['unknown', 'no data'],
];

/** The whole mesh in one line. Rates add up; percentiles do not, so the slowest service stands for them. */
export function MeshStrip({ services, window, trend }: MeshStripProps) {
  const totals = meshTotals(services);
  return (
    <dl class="strip" aria-label={`The whole mesh over the last ${window}`}>
      <div>
        <dt>Requests</dt>
        <dd>
          <Figure
            quantity={rate(totals.requestRate)}
            words={`${count(totals.requests)} requests in the last ${window}, counted at every service that they reached`}
            explanation={explainedAlone(
              `${count(totals.requests)} requests in the last ${window}, counted at every service that they reached`,
            )}
          />
          <Sparkline trend={trend} words={trendInWords('rate', trend, window)} kind="rate" size={STRIP_TREND} />
        </dd>
      </div>
      <div>
        <dt>Success</dt>
        <dd>
          <Figure quantity={success(totals.successRate)} words={totals.successRate === null ? 'no traffic' : ''} />
        </dd>
      </div>
      <div>
        <dt>Slowest p99</dt>
        <dd>
          {totals.slowest ? (
            <Slowest service={totals.slowest} window={window} />
          ) : (
            <Figure quantity={milliseconds(null)} words="no service has enough data" />
          )}
        </dd>
      </div>
      {(totals.alerts.firing > 0 || totals.alerts.pending > 0) && (
        <div>
          <dt>Alerts</dt>
          <dd>
            <a href={addressOf({ name: 'alerts' })}>
              <AlertsBadge alerts={totals.alerts} />
            </a>
          </dd>
        </div>
      )}
      <div>
        <dt>Services</dt>
        <dd class="health-counts">
          {HEALTH_WORDS.filter(([health]) => totals.byHealth[health] > 0).map(([health, words]) => (
            <span key={health}>
              <HealthShape health={health} words="" />
              {totals.byHealth[health]}
              <span class="unit"> {words}</span>
            </span>
          ))}
        </dd>
      </div>
    </dl>
  );
}

const STRIP_TREND = { width: 160, height: 26 };

function Slowest({ service, window }: { readonly service: ListedService; readonly window: string }) {
  const words = percentileInWords('p99', service, { window, vantage: service.vantage });
  return (
    <>
      <Figure quantity={milliseconds(service.latencyMs.p99)} words={words} capped={isCapped('p99', service)} />{' '}
      <a
        class="slowest"
        href={addressOf({ name: 'service', service: service.service, namespace: service.namespace })}
        {...explained(words)}
      >
        {service.service}
      </a>
    </>
  );
}
