import { explainedAlone } from '../../components/explained.ts';
import { HealthShape } from '../../components/health-shape.tsx';
import { count, DASH, milliseconds, rate, relativeError, share, success, text } from '../../format/number.ts';
import type { Matrix, Place, Route } from './matrix.ts';
import { placeName, routeHealth } from './matrix.ts';

interface PlaceMatrixProps {
  readonly matrix: Matrix;
  readonly window: string;
  readonly kind: 'region' | 'zone';
}

/** Rows are callers' places, columns those that answered. */
export function PlaceMatrix({ matrix, window, kind }: PlaceMatrixProps) {
  const largest = Math.max(
    0,
    ...matrix.from.flatMap((from) => matrix.to.map((to) => matrix.routeBetween(from, to)?.share ?? 0)),
  );
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by the keyboard too
    <section class="panel matrix-box" tabIndex={0} aria-label={`Calls from ${kind} to ${kind}`}>
      <table class="data matrix">
        <caption>
          From the caller’s {kind} to the {kind} that answered: area is the share of calls, the figure is p95
        </caption>
        <thead>
          <tr>
            <th scope="col">
              <span class="unit">from ↓ to →</span>
            </th>
            {matrix.to.map((place) => (
              <th key={place.key} scope="col">
                <PlaceHead place={place} />
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {matrix.from.map((from) => (
            <tr key={from.key}>
              <th scope="row">
                <PlaceHead place={from} />
              </th>
              {matrix.to.map((to) => (
                <RouteCell
                  key={to.key}
                  route={matrix.routeBetween(from, to)}
                  to={placeName(to)}
                  largest={largest}
                  window={window}
                  home={from.key !== '' && from.key === to.key}
                />
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

const UNKNOWN_PLACE =
  'Envoy does not tell the place: the caller’s node.locality is not set, or the hosts of its cluster have none.';

function PlaceHead({ place }: { readonly place: Place }) {
  if (place.key !== '') return <>{placeName(place)}</>;
  return (
    <span class="missing explained" {...explainedAlone(UNKNOWN_PLACE)}>
      <span aria-hidden="true">{DASH} </span>not known
    </span>
  );
}

interface RouteCellProps {
  readonly route: Route | undefined;
  /** Name of the place that answered. */
  readonly to: string;
  readonly largest: number;
  readonly window: string;
  readonly home: boolean;
}

const BOX = 44;

function RouteCell({ route, to, largest, window, home }: RouteCellProps) {
  if (!route || route.requests === 0) {
    return (
      <td class={home ? 'none home' : 'none'}>
        <span class="unit">no calls</span>
      </td>
    );
  }
  const health = routeHealth(route);
  const side = largest > 0 ? BOX * Math.sqrt((route.share ?? 0) / largest) : 0;
  return (
    <td class={home ? 'home' : ''} data-label={to}>
      <div class="route" {...explainedAlone(routeInWords(route, window))}>
        <svg class={`route-area ${health}`} width={BOX} height={BOX} aria-hidden="true">
          <rect x={(BOX - side) / 2} y={(BOX - side) / 2} width={side} height={side} />
        </svg>
        <div>
          <div class="route-latency">{latency(route)}</div>
          <div class="unit">
            {text(share(route.share))} · {text(rate(route.requestRate))}
          </div>
          <div class={`route-success ${health}`}>
            <HealthShape health={health} words={health === 'unknown' ? 'success not known' : ''} />{' '}
            {route.successRate === null ? DASH : text(success(route.successRate))}
          </div>
        </div>
      </div>
    </td>
  );
}

/** Which percentiles fall among timed-out requests is not told by place, so that all are lower bounds then. */
function latency({ latencyMs, precision }: Route): string {
  if (latencyMs.p95 === null) return DASH;
  return `${precision.capped ? '> ' : ''}${text(milliseconds(latencyMs.p95))}`;
}

/** Everything about one way. */
export function routeInWords(route: Route, window: string): string {
  const calls = `${count(route.requests)} calls in the last ${window} from ${placeName(route.from)} to ${placeName(route.to)}, ${text(share(route.share))} of all`;
  const outcome =
    route.successRate === null
      ? 'Success is not known: Envoy does not tell by zone which gRPC calls failed'
      : `${text(success(route.successRate))} succeeded`;
  const { latencyMs, latencySamples, precision } = route;
  const error = relativeError(precision.maxRelativeError);
  const slow =
    latencyMs.p95 === null
      ? 'The latency is not known: Envoy gives no histogram for these calls by zone'
      : `p95 ${latency(route)}${error === '' ? '' : ` ${error}`}, ${count(latencySamples)} samples, measured by the callers`;
  const few = route.state === 'too_little_data' ? ' Too little data: a percentile of so few says little.' : '';
  return `${calls}. ${outcome}. ${slow}.${few}`;
}
