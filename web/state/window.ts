/** Lengths of time that can be looked at, and the steps of their charts. */

const UNIT_MS: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 };

export interface WindowChoice {
  /** As the API takes it. */
  readonly window: string;
  readonly ms: number;
}

export const WINDOW_CHOICES: readonly WindowChoice[] = ['5m', '15m', '1h', '2h', '6h', '1d', '7d', '30d'].map(
  (window) => ({
    window,
    ms: windowMs(window),
  }),
);

/** Milliseconds of a window such as `5m`. */
export function windowMs(window: string): number {
  return Number.parseInt(window, 10) * (UNIT_MS[window.slice(-1)] ?? 1000);
}

const ALWAYS_OFFERED_MS = 2 * 3_600_000;

/** The choices worth having, given how far back stored data reaches (milliseconds; null while unknown), and the current one. */
export function offeredWindows(historyMs: number | null, current: string): readonly WindowChoice[] {
  const filled = WINDOW_CHOICES.find(({ ms }) => ms >= (historyMs ?? 0))?.ms ?? Number.POSITIVE_INFINITY;
  const longest = Math.max(ALWAYS_OFFERED_MS, filled);
  const offered = WINDOW_CHOICES.filter(({ ms, window }) => ms <= longest || window === current);
  if (offered.some(({ window }) => window === current)) return offered;
  return [...offered, { window: current, ms: windowMs(current) }].sort((a, b) => a.ms - b.ms);
}

const STEPS = [
  '1s',
  '2s',
  '5s',
  '10s',
  '15s',
  '30s',
  '1m',
  '2m',
  '5m',
  '10m',
  '15m',
  '30m',
  '1h',
  '2h',
  '3h',
  '6h',
  '12h',
  '1d',
].map((step) => ({ step, ms: windowMs(step) }));

export interface Step {
  /** As the API takes it. */
  readonly step: string;
  readonly ms: number;
}

/** A tier of the stored past: steps of `stepMs`, kept for `keptMs`. */
export interface KeptTier {
  readonly stepMs: number;
  readonly keptMs: number;
}

/** The finest steps in which a moment so long ago can still be kept; what is coarser than all there is has the coarsest. */
export function keptStepMs(tiers: readonly KeptTier[], ageMs: number): number {
  const sorted = [...tiers].sort((a, b) => a.stepMs - b.stepMs);
  return (sorted.find(({ keptMs }) => keptMs >= ageMs) ?? sorted.at(-1))?.stepMs ?? 0;
}

export interface StepWish {
  readonly windowMs: number;
  /** A step below the scrape interval would show spread increments as if they were measured. */
  readonly scrapeIntervalMs: number;
  readonly mostPoints: number;
}

/** The finest step that keeps a chart within its points and is no finer than what was measured. */
export function chooseStep({ windowMs, scrapeIntervalMs, mostPoints }: StepWish): Step {
  const fits = STEPS.find(({ ms }) => ms >= scrapeIntervalMs && windowMs / ms <= mostPoints);
  return fits ?? { step: '1d', ms: 86_400_000 };
}

/** Points of a chart that fills a column of the page. */
export const CHART_POINTS = 120;
/** Points of a trend in a table row. */
export const TREND_POINTS = 60;
