import { FORMS, type Moment } from '../envoy/five-forms.ts';

/** Prometheus text of `megabytes`, of which a hundredth is the sidecar's: where a mesh product merges an application's metrics. */
export function foreignBody(moment: Moment, megabytes: number): Buffer {
  const size = megabytes * 1_000_000;
  const ours = FORMS.prometheus
    .render(moment)
    .toString('utf8')
    .split('\n')
    .filter((line) => line.startsWith('envoy_'));
  const parts: string[] = [];
  let bytes = 0;
  let own = 0;
  for (let series = 0; bytes < size; series++) {
    const line = own * 100 <= bytes ? ours.shift() : undefined;
    own += line === undefined ? 0 : line.length + 1;
    parts.push(line ?? foreignLine(series));
    bytes += (parts.at(-1)?.length ?? 0) + 1;
  }
  return Buffer.from(`${parts.join('\n')}\n`);
}

function foreignLine(series: number): string {
  const labels = `method="GET",route="/api/v1/items/:id",status="${200 + (series % 5)}",le="${series % 12}"`;
  return series % 14 === 0
    ? `# TYPE envoy_${series % 28 === 0 ? 'server' : 'wasm'}_requests_${series} histogram`
    : `http_server_request_duration_seconds_bucket{${labels},pod="items-6f7d9c-${series % 97}"} ${series * 3}`;
}
