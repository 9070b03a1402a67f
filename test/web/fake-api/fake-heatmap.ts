import type { HeatmapAnswer } from '../../../server/api/contract.ts';
import { breath, type FakeRange, isMissing } from './fake-figures.ts';
import type { FakeService } from './fake-services.ts';

const ROWS = 40;

/** Log-normal latencies, step by step. */
export function fakeHeatmap(service: FakeService, range: FakeRange, stepMs: number): HeatmapAnswer {
  const from = Math.floor(range.from / stepMs) * stepMs;
  const to = Math.ceil(range.to / stepMs) * stepMs;
  const times: number[] = [];
  for (let time = from; time < to; time += stepMs) times.push(time);
  const { medianMs, spread } = service;
  const bound = (row: number) => medianMs * Math.exp(spread * (-3 + (6 * row) / ROWS));
  const boundsMs = Array.from({ length: ROWS }, (_, row): [number, number] => [bound(row), bound(row + 1)]);
  const counts = times.map((time) => {
    if (isMissing(service, time, range)) return null;
    const shift = Math.log(breath(service.service, time));
    return boundsMs.map((_, row) => {
      const deviate = -3 + (6 * (row + 0.5)) / ROWS - shift;
      return Math.round((service.rate * stepMs * Math.exp(-(deviate ** 2) / 2)) / 1000 / 16);
    });
  });
  const known = service.rate > 0 ? boundsMs : [];
  return {
    step: stepMs,
    from,
    to,
    offsetMs: range.offsetMs,
    tiers: ['raw'],
    times,
    boundsMs: known,
    counts: counts.map((row) => row?.slice(0, known.length) ?? null),
    timeouts: counts.map((row) => row && 0),
  };
}
