import { readFile } from 'node:fs/promises';

interface Looked {
  readonly at: number;
  /** Milliseconds so far, by process. */
  readonly waited: ReadonlyMap<number, number>;
}

/** Looks that are remembered. */
const MOST_LOOKS = 300;

/**
 * How long the main threads of processes were ready to run and had no processor: what other programs of a busy machine
 * take from them. From Linux's schedstat; 0 where that is not told.
 */
export class ProcessorWaits {
  private readonly pids: readonly number[];
  private readonly looks: Looked[] = [];

  constructor(pids: readonly number[]) {
    this.pids = pids;
  }

  async look(at: number): Promise<void> {
    const waited = await Promise.all(this.pids.map(async (pid) => [pid, await waitedMs(pid)] as const));
    this.looks.push({ at, waited: new Map(waited) });
    if (this.looks.length > MOST_LOOKS) this.looks.shift();
  }

  /** Milliseconds that these processes waited from a time on up to the last look, one after the other. */
  since(time: number, pids: readonly number[]): number {
    const last = this.looks.at(-1);
    const first = this.looks.findLast(({ at }) => at <= time) ?? this.looks[0];
    return pids.reduce((sum, pid) => sum + (last?.waited.get(pid) ?? 0) - (first?.waited.get(pid) ?? 0), 0);
  }
}

async function waitedMs(pid: number): Promise<number> {
  const text = await readFile(`/proc/${pid}/task/${pid}/schedstat`, 'utf8').catch(() => '');
  return Number(text.split(' ')[1] ?? 0) / 1e6;
}
