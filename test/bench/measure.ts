/** A thing to measure: `prepare` is not counted, the time of `run` is divided by `units`. */
export interface Subject {
  readonly units: number;
  prepare(): void;
  run(): void;
}

/**
 * Microseconds of CPU (user and system, helper threads for garbage and compilation included) per unit of each subject:
 * the median over `rounds`, in which the subjects take turns, so that they meet the same weather.
 */
export function cpuPerUnit<Name extends string>(
  subjects: Readonly<Record<Name, Subject>>,
  rounds: number,
): Record<Name, number> {
  const names = Object.keys(subjects) as Name[];
  const taken = new Map(names.map((name) => [name, [] as number[]]));
  for (let round = -WARM_UP; round < rounds; round++) {
    for (const name of names) {
      const subject = subjects[name];
      subject.prepare();
      const before = process.cpuUsage();
      subject.run();
      const { user, system } = process.cpuUsage(before);
      if (round >= 0) taken.get(name)?.push((user + system) / subject.units);
    }
  }
  return Object.fromEntries(names.map((name) => [name, median(taken.get(name) ?? [])])) as Record<Name, number>;
}

const WARM_UP = 15;

/** Bytes that one call allocates: the median growth of heap and buffers per call, which a collection in between can't move. */
export function bytesPerCall(calls: number, call: (index: number) => void): number {
  const grown: number[] = [];
  const empty: number[] = [];
  for (let i = 0; i < calls; i++) {
    const before = allocated();
    const nothing = allocated();
    call(i);
    grown.push(allocated() - nothing);
    empty.push(nothing - before);
  }
  return median(grown) - median(empty);
}

function allocated(): number {
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

export function median(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? Number.NaN;
}

/** Milliseconds of CPU since then. */
export function cpuMs(before: NodeJS.CpuUsage, after = process.cpuUsage()): number {
  return (after.user + after.system - before.user - before.system) / 1000;
}
