/** Evenly spread over [0, 1). */
export type Random = () => number;

/** The same numbers for the same seed (the generator known as mulberry32). */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Pauses of this mean give arrivals that know nothing of each other. */
export const exponential = (random: Random, mean: number): number => -Math.log(1 - random()) * mean;

/** Mostly near the median, sometimes a multiple of it, as latencies are. `spread` is the standard deviation of the logarithm. */
export function lognormal(random: Random, { medianMs, spread }: { medianMs: number; spread: number }): number {
  const normal = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  return medianMs * Math.exp(spread * normal);
}
