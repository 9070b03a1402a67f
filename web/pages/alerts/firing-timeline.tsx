import type { RulesTestAnswer, TriedSeries } from '../../../server/api/contract.ts';
import { axisTime } from '../../format/time.ts';
import { firedTimes, lengthInWords, nameOfLabels } from './rule-test-words.ts';

interface TimelineProps {
  readonly series: readonly TriedSeries[];
  readonly answer: RulesTestAnswer;
}

const WIDTH = 1000;
const HEIGHT = 14;
/** An alert of a moment is still to be seen. */
const LEAST_WIDTH = 3;
const DAY_MS = 86_400_000;

/** When each would have fired, one lane for each; times at both ends and where the steps of the past change. */
export function FiringTimeline({ series, answer }: TimelineProps) {
  const { from, to, parts } = answer;
  const place = (at: number) => (WIDTH * (Math.min(to, Math.max(from, at)) - from)) / Math.max(1, to - from);
  const step = to - from > 2 * DAY_MS ? DAY_MS : 60_000;
  return (
    <div class="timeline">
      <ul>
        {series.map(({ labels, firings, firingMs }) => {
          const name = nameOfLabels(labels);
          return (
            <li key={name}>
              <span class="timeline-name">{name}</span>
              <svg
                viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
                preserveAspectRatio="none"
                role="img"
                aria-label={`${name}: fired ${firedTimes(firings.length)}, ${lengthInWords(firingMs)} in all`}
              >
                <path class="lane" d={`M0 ${HEIGHT / 2}H${WIDTH}`} />
                {parts.slice(1).map((part) => (
                  <path key={part.from} class="border" d={`M${place(part.from)} 0V${HEIGHT}`} />
                ))}
                {firings.map((firing) => (
                  <rect
                    key={firing.from}
                    class="fired"
                    x={place(firing.from)}
                    width={Math.max(LEAST_WIDTH, place(firing.to ?? to) - place(firing.from))}
                    y="1"
                    height={HEIGHT - 2}
                  />
                ))}
              </svg>
            </li>
          );
        })}
      </ul>
      <p class="timeline-ends" aria-hidden="true">
        <span>{axisTime(from, step)}</span>
        <span>{axisTime(to, step)}</span>
      </p>
    </div>
  );
}
