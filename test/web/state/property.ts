import fc from 'fast-check';
import { test as check } from 'vitest';

export { fc };

/** A test of a property that holds for whatever the arbitraries come up with. */
export function test<Values extends [unknown, ...unknown[]]>(
  name: string,
  arbitraries: { [Index in keyof Values]: fc.Arbitrary<Values[Index]> },
  holds: (...values: Values) => void,
): void {
  check(name, () => fc.assert(fc.property(...arbitraries, (...values: Values) => holds(...values))));
}
