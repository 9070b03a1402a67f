/** Divisors of a minute that raw steps may have, in seconds. */
const SLOTS_S = [60, 30, 20, 15, 12, 10, 6, 5, 4, 3, 2, 1] as const;

/** The step in which scrapes of that interval are kept, aligned to Unix time; milliseconds. */
export function slotOf(intervalMs: number): number {
  return (SLOTS_S.find((seconds) => seconds * 1000 <= intervalMs) ?? 1) * 1000;
}
