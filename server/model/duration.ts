/** Units from the longest to the shortest, in milliseconds; formatting leaves out those that are not `shown`. */
const UNITS = [
  { name: 'y', ms: 365 * 86_400_000, shown: false },
  { name: 'w', ms: 7 * 86_400_000, shown: false },
  { name: 'd', ms: 86_400_000, shown: true },
  { name: 'h', ms: 3_600_000, shown: true },
  { name: 'm', ms: 60_000, shown: true },
  { name: 's', ms: 1000, shown: true },
  { name: 'ms', ms: 1, shown: true },
] as const;

const PATTERN = new RegExp(`^${UNITS.map((unit) => `(?:(\\d+)${unit.name})?`).join('')}$`);

/**
 * Milliseconds of a duration such as `15s`, `500ms`, `1m30s`, `2d`, `1w`, `1y` (365 days) or `0`:
 * whole numbers with units, the longest unit first, each at most once.
 * Undefined when the text is no duration.
 */
export function parseDuration(text: string): number | undefined {
  if (text === '0') return 0;
  const match = text === '' ? null : PATTERN.exec(text);
  if (match === null) return undefined;
  const total = UNITS.reduce((sum, unit, index) => sum + Number(match[index + 1] ?? 0) * unit.ms, 0);
  return Number.isSafeInteger(total) ? total : undefined;
}

/** The shortest text that `parseDuration` reads as `ms` (whole milliseconds, not negative): `5m`, `1m30s`, `400d`. */
export function formatDuration(ms: number): string {
  let rest = ms;
  let text = '';
  for (const unit of UNITS) {
    const count = unit.shown ? Math.floor(rest / unit.ms) : 0;
    if (count > 0) text += `${count}${unit.name}`;
    rest -= count * unit.ms;
  }
  return text === '' ? '0s' : text;
}
