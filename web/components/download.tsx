import { fileName, flatRecord, toCsv, toJson } from '../export/csv.ts';

interface DownloadProps {
  /** What is saved, such as `checkout instances`; names the file. */
  readonly name: string;
  /** What is shown, in rows, asked for only when it is wanted. */
  records(): readonly object[];
}

/** Saves what a table or chart shows: from the same data, without asking the collector again. */
export function Download({ name, records }: DownloadProps) {
  return (
    <span class="download">
      <button
        type="button"
        class="small"
        aria-label={`Save ${name} as CSV`}
        onClick={() => save(name, 'csv', records())}
      >
        CSV
      </button>
      <button
        type="button"
        class="small"
        aria-label={`Save ${name} as JSON`}
        onClick={() => save(name, 'json', records())}
      >
        JSON
      </button>
    </span>
  );
}

const TYPES = { csv: 'text/csv', json: 'application/json' } as const;

function save(name: string, kind: 'csv' | 'json', rows: readonly object[]): void {
  const records = rows.map(flatRecord);
  const body = kind === 'csv' ? toCsv(records) : toJson(records);
  const address = URL.createObjectURL(new Blob([body], { type: TYPES[kind] }));
  const link = document.createElement('a');
  link.href = address;
  link.download = fileName(name, Date.now(), kind);
  link.click();
  window.setTimeout(() => URL.revokeObjectURL(address), 1000);
}
