/** Whatever the API is asked for: an answer as described or a refusal that says why, never a failure of its own, never none. */

import { afterAll, beforeAll, expect, test } from 'vitest';
import type { RunningApi } from '../api/running-api.ts';
import { fuzzApi, startFuzzedApi } from './api-fuzzer.ts';

const REQUESTS = 20_000;
const SEED = 20_300_103;

let api: RunningApi;
beforeAll(async () => {
  api = await startFuzzedApi();
});
afterAll(() => api.stop());

test(`${REQUESTS} requests`, async () => {
  const { statuses, failure } = await fuzzApi(api, { seed: SEED, from: 0, count: REQUESTS });
  expect(failure && `${failure.problem}\nagain: npm run fuzz -- api --seed=${SEED} --at=${failure.index}`).toBe(
    undefined,
  );
  for (const [status, least] of [
    [200, REQUESTS / 10],
    [400, REQUESTS / 10],
    [404, REQUESTS / 200],
    [405, REQUESTS / 200],
    [421, REQUESTS / 1000],
  ] as const)
    expect([status, statuses.get(status)]).toEqual([status, expect.toSatisfy((count: number) => count >= least)]);
}, 180_000);
