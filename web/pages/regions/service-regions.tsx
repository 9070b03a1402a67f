import type { RegionFigures } from '../../../server/api/contract.ts';
import { api, type ServiceName } from '../../api.ts';
import { Figure } from '../../components/figure.tsx';
import { HealthShape } from '../../components/health-shape.tsx';
import { ErrorNotice } from '../../components/notice.tsx';
import { isCapped } from '../../figures/capped.ts';
import { missingInWords, percentileInWords, rateInWords, successInWords } from '../../figures/explain.ts';
import { slowFactors } from '../../figures/outliers.ts';
import { milliseconds, rate, success, threeDigits } from '../../format/number.ts';
import { spanInWords } from '../../format/time.ts';
import { useAnswer } from '../../state/answer.ts';
import { timeSpan } from '../../state/collector.ts';
import { addressOf } from '../../state/router.ts';
import { routeHealth } from './matrix.ts';

/** One service, region beside region. */
export function ServiceRegions({ name }: { readonly name: ServiceName }) {
  const answer = useAnswer(api.service(name, timeSpan.value)).value;
  const { data } = answer;
  if (!data) return <ErrorNotice error={answer.error} />;
  const window = spanInWords(data.windowMs);
  const factors = slowFactors(data.byRegion);
  return (
    <section class="side-by-side">
      <h2>
        <a href={addressOf({ name: 'service', ...name })}>{name.service}</a>, region beside region
      </h2>
      {data.byRegion.length === 0 ? (
        <p class="nothing">
          {data.vantage === 'client'
            ? 'Only its callers measured it, and they do not know the regions of its instances.'
            : `No region is known of its instances, or nothing was measured in the last ${window}.`}
        </p>
      ) : (
        <div class="region-cards">
          {data.byRegion.map((figures, index) => (
            <RegionCard
              key={figures.region}
              figures={figures}
              window={window}
              vantage={data.vantage}
              slower={factors[index] ?? null}
            />
          ))}
        </div>
      )}
    </section>
  );
}

interface RegionCardProps {
  readonly figures: RegionFigures;
  readonly window: string;
  readonly vantage: 'server' | 'client';
  readonly slower: number | null;
}

function RegionCard({ figures, window, vantage, slower }: RegionCardProps) {
  const measured = figures.requestRate !== null;
  return (
    <section class="panel">
      <div class="panel-head">
        <HealthShape health={routeHealth(figures)} words={measured ? '' : missingInWords(figures)} />
        <h3 class="region-name">{figures.region || 'region not known'}</h3>
      </div>
      <dl>
        <div>
          <dt>Rate</dt>
          <dd>
            <Figure quantity={rate(figures.requestRate)} words={rateInWords(figures, window)} />
          </dd>
        </div>
        <div>
          <dt>Success</dt>
          <dd>
            <Figure quantity={success(figures.successRate)} words={successInWords(figures, window)} />
          </dd>
        </div>
        {(['p50', 'p95', 'p99'] as const).map((percentile) => (
          <div key={percentile}>
            <dt>{percentile}</dt>
            <dd>
              <Figure
                quantity={milliseconds(figures.latencyMs[percentile])}
                words={percentileInWords(percentile, figures, { window, vantage })}
                capped={isCapped(percentile, figures)}
                weak={figures.state === 'too_little_data'}
              />
            </dd>
          </div>
        ))}
      </dl>
      {slower !== null && <p class="remark warn">p95 {threeDigits(slower)} × the others</p>}
    </section>
  );
}
