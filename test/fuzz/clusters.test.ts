/** `/clusters` of real Envoys, damaged in all ways: read or refused with a reason, in linear time, and never made up. */

import { expect, test } from 'vitest';
import { CLUSTERS_FORMS, fuzzClusters } from './clusters.ts';

const BODIES = 20_000;
const SEED = 20_300_102;

test.each(CLUSTERS_FORMS)(
  'damaged %s',
  (form) => {
    const { read, refused, failure } = fuzzClusters({ form, seed: SEED, from: 0, count: BODIES });
    expect(
      failure && `${failure.problem}: npm run fuzz -- --form=clusters-${form} --seed=${SEED} --at=${failure.index}`,
    ).toBe(undefined);
    expect(read).toBeGreaterThan(BODIES / 20);
    expect(refused).toBeGreaterThan(form === 'json' ? BODIES / 20 : 0);
  },
  120_000,
);
