/** Records as files for other tools. Pure. A figure that is not known is empty in CSV and null in JSON, never 0. */

export type FlatRecord = Readonly<Record<string, string | number | null>>;

/** What is nested gets names such as `labels.service`; lists become one text. */
export function flatRecord(row: object): FlatRecord {
  return Object.fromEntries(
    Object.entries(row).flatMap(([name, value]: [string, unknown]): [string, string | number | null][] => {
      if (value === null || typeof value === 'number') return [[name, value]];
      if (Array.isArray(value)) return [[name, typeof value[0] === 'object' ? JSON.stringify(value) : value.join(' ')]];
      if (typeof value !== 'object') return [[name, String(value)]];
      return Object.entries(flatRecord(value)).map(([inner, each]) => [`${name}.${inner}`, each]);
    }),
  );
}

/** RFC 4180, with a head of all fields that any record has. */
export function toCsv(records: readonly FlatRecord[]): string {
  const fields = [...new Set(records.flatMap((record) => Object.keys(record)))];
  const rows = records.map((record) => fields.map((field) => record[field] ?? null));
  return [fields, ...rows].map((row) => `${row.map(cell).join(',')}\r\n`).join('');
}

/** A text that a spreadsheet would take for a formula gets a quote before it: names come from anybody. */
function cell(value: string | number | null): string {
  if (value === null) return '';
  if (typeof value === 'number') return String(value);
  const safe = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

export function toJson(records: readonly FlatRecord[]): string {
  return `${JSON.stringify(records, null, 2)}\n`;
}

/** A name that every file system takes: `sidelight-checkout-instances-20261121T140315Z.csv`. */
export function fileName(name: string, moment: number, kind: 'csv' | 'json'): string {
  const time = new Date(moment).toISOString().replace(/\.\d+/, '').replaceAll(/[-:]/g, '');
  const safe = name
    .replaceAll(/[^\p{L}\p{N}._-]+/gu, '-')
    .replaceAll(/^-+|-+$/g, '')
    .slice(0, 80);
  return `sidelight-${safe}-${time}.${kind}`;
}
