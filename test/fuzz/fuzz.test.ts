/** Bodies of real Envoys, damaged in all ways: they are read or refused with a reason, in linear time, and never make up numbers. */

import { expect, test } from 'vitest';
import { FORM_NAMES } from '../envoy/five-forms.ts';
import { fuzz } from './fuzzer.ts';

const BODIES = 20_000;
const SEED = 20_300_101;

test.each(FORM_NAMES)(
  'damaged %s',
  async (form) => {
    const { read, refused, failure } = await fuzz({ form, seed: SEED, from: 0, count: BODIES });
    expect(failure && `${failure.problem}: npm run fuzz -- --form=${form} --seed=${SEED} --at=${failure.index}`).toBe(
      undefined,
    );
    expect(read).toBeGreaterThan(BODIES / 20);
    expect(refused).toBeGreaterThan(BODIES / 20);
  },
  120_000,
);
