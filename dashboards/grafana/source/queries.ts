/** PromQL over /metrics. No traffic gives nothing, never a NaN: 0 divided by 0 is not shown as a share. */

const INTERVAL = '$__rate_interval';

/** Sums per second of a counter's series that match, by these labels. */
export function rate(counter: string, match: string, by: readonly string[]): string {
  return `${sumBy(by)} (rate(${counter}{${match}}[${INTERVAL}]))`;
}

/** Share of requests that failed, as Sidelight's own API counts them: 5xx, or a gRPC status other than 0. */
export function failedShare(match: string, by: readonly string[]): string {
  const failed = rate('mesh_failed_requests_total', match, by);
  return `${failed} / (${rate('mesh_requests_total', match, by)} > 0)`;
}

/** Quantile of a histogram, in its unit; the comparison leaves out the NaN of a histogram without samples. */
export function quantile(
  q: number,
  histogram: string,
  { match, by }: { match: string; by: readonly string[] },
): string {
  return `histogram_quantile(${q}, ${rate(`${histogram}_bucket`, match, [...by, 'le'])}) >= 0`;
}

/** Sum of a gauge's series that match, by these labels. */
export function sum(gauge: string, match: string, by: readonly string[]): string {
  return `${sumBy(by)} (${gauge}{${match}})`;
}

function sumBy(by: readonly string[]): string {
  return by.length > 0 ? `sum by (${by.join(', ')})` : 'sum';
}
