/** Units from the largest to the smallest, in bytes. */
const UNITS = [
  { name: 'TiB', bytes: 1024 ** 4 },
  { name: 'GiB', bytes: 1024 ** 3 },
  { name: 'MiB', bytes: 1024 ** 2 },
  { name: 'KiB', bytes: 1024 },
  { name: 'B', bytes: 1 },
] as const;

const PATTERN = /^(\d+)(TiB|GiB|MiB|KiB|B)?$/;

/** Bytes of a size such as `16MiB`, `10GiB`, `512B` or `4096` (plain bytes); undefined when the text is no size. */
export function parseSize(text: string): number | undefined {
  const match = PATTERN.exec(text);
  if (match === null) return undefined;
  const unit = UNITS.find(({ name }) => name === (match[2] ?? 'B'));
  const bytes = Number(match[1]) * (unit?.bytes ?? 1);
  return Number.isSafeInteger(bytes) ? bytes : undefined;
}

/** The shortest exact text that `parseSize` reads as `bytes` (whole, not negative): `10GiB`, `1500B`. */
export function formatSize(bytes: number): string {
  const unit = UNITS.find((candidate) => bytes !== 0 && bytes % candidate.bytes === 0);
  return unit === undefined ? `${bytes}B` : `${bytes / unit.bytes}${unit.name}`;
}
