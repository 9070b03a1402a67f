import type { ServiceAnswer } from '../../../server/api/contract.ts';
import { explainedAlone } from '../../components/explained.ts';
import { Figure } from '../../components/figure.tsx';
import { isCapped, type Percentile } from '../../figures/capped.ts';
import {
  type Circumstances,
  methodInWords,
  PERCENTILE_NAMES,
  percentileInWords,
  rateInWords,
  stateInWords,
  successInWords,
  vantageInWords,
} from '../../figures/explain.ts';
import { tiersInWords } from '../../figures/tiers.ts';
import { count, milliseconds, type Quantity, rate, relativeError, success } from '../../format/number.ts';

interface ServiceFiguresProps {
  readonly answer: ServiceAnswer;
  readonly context: Circumstances;
}

const PERCENTILES: readonly Percentile[] = ['p50', 'p95', 'p99', 'p999'];

/** The service's figures over the window, and what they rest on. */
export function ServiceFigures({ answer, context }: ServiceFiguresProps) {
  const { window } = context;
  const caution = stateInWords(answer, window);
  return (
    <section class="figures" aria-label={`Figures over the last ${window}`}>
      <dl>
        <Card title="Rate" quantity={rate(answer.requestRate)} words={rateInWords(answer, window)} />
        <Card title="Success" quantity={success(answer.successRate)} words={successInWords(answer, window)} />
        {PERCENTILES.map((percentile) => (
          <Card
            key={percentile}
            title={PERCENTILE_NAMES[percentile]}
            quantity={milliseconds(answer.latencyMs[percentile])}
            words={percentileInWords(percentile, answer, context)}
            capped={isCapped(percentile, answer)}
            weak={answer.state === 'too_little_data'}
          />
        ))}
        <Card
          title="Timed out"
          quantity={plain(count(answer.timeouts))}
          words={`Requests that ran into a timeout in the last ${window}`}
        />
        <Card
          title="Retries"
          quantity={plain(count(answer.retries))}
          words={`Further tries in the last ${window}; they are not requests of their own`}
        />
        <Card
          title="In flight"
          quantity={plain(count(answer.activeRequests))}
          words="Requests under way at the last scrape"
        />
      </dl>
      <p class="basis">
        {caution !== '' && <strong class={`caution ${answer.state}`}>{caution} </strong>}
        {basis(answer, context)}
      </p>
    </section>
  );
}

function plain(digits: string): Quantity {
  return { digits, unit: '' };
}

/** What the percentiles rest on, in one line beside them. */
function basis(answer: ServiceAnswer, context: Circumstances): string {
  const parts = [`Last ${context.window}`, vantageInWords(context.vantage)];
  if (answer.latencySamples > 0) {
    parts.push(`${count(answer.latencySamples)} latency samples`, methodInWords(answer.precision));
    const error = relativeError(answer.precision.maxRelativeError);
    if (error !== '') parts.push(`percentiles ${error}`);
  }
  const kept = tiersInWords(answer.tiers);
  if (kept !== '') parts.push(kept);
  return parts.join(' · ');
}

interface CardProps {
  readonly title: string;
  readonly quantity: Quantity;
  readonly words: string;
  readonly capped?: boolean;
  readonly weak?: boolean;
}

function Card({ title, quantity, words, capped = false, weak = false }: CardProps) {
  return (
    <div>
      <dt>{title}</dt>
      <dd>
        <Figure quantity={quantity} words={words} explanation={explainedAlone(words)} capped={capped} weak={weak} />
      </dd>
    </div>
  );
}
