import { expect } from 'vitest';

/** Expects something of a value that takes a while to come, longer on a busy machine. */
export const eventually = <T>(value: () => T) => expect.poll(value, { timeout: 10_000, interval: 20 });
