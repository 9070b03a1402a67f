/** What must hold for every body, however damaged. */

import { owned, StatsError, type StatsReader, type StatsReading } from '../../server/envoy/stats.ts';
import { TextStatsReader } from '../../server/envoy/stats-text.ts';
import { CountError } from '../../server/mesh/increments.ts';
import { NO_RULES } from '../../server/mesh/naming-rules.ts';
import { TargetMesh } from '../../server/mesh/target-mesh.ts';
import { decodeTotals } from '../../server/mesh/totals.ts';
import type { ScrapeFindings } from '../../server/model/scrape-record.ts';
import { FORMS, type FormName } from '../envoy/five-forms.ts';

/** A target that answers `base`, then `body`, then `base` again. */
export interface Case {
  readonly form: FormName;
  readonly base: Buffer;
  readonly body: Buffer;
}

export interface Verdict {
  /** What did not hold, starting with a word for its kind. */
  readonly problem?: string;
  /** Whether `body` was read; else it was refused with a reason. */
  readonly read: boolean;
}

/** CPU that a body may take, with room for collections and compilation: a fixed part and one by size. */
const FIXED_US = 15_000;
const PER_KB_US = 60;
const SERIES_LIMIT = 20_000;
const LONGEST_REASON = 200;

/** Never throws. A body that took too long is tried again before it counts as a problem. */
export function check(one: Case): Verdict {
  const limit = FIXED_US + (one.body.length / 1000) * PER_KB_US;
  let spent = 0;
  for (let attempt = 0; attempt < 3; attempt++) {
    const verdict = checkOnce(one);
    if (verdict.problem !== undefined || verdict.spent <= limit) return verdict;
    spent = verdict.spent;
  }
  return { problem: `slow: ${spent} µs for ${one.body.length} bytes, more than ${Math.round(limit)}`, read: true };
}

function checkOnce({ form, base, body }: Case): Verdict & { spent: number } {
  const target = new Target(form);
  const whole = target.answer(base);
  const before = process.threadCpuUsage();
  const damaged = target.answer(body);
  const { user, system } = process.threadCpuUsage(before);
  const again = target.answer(base);
  const problem =
    whole.problem ??
    damaged.problem ??
    again.problem ??
    (sameReading(whole, again) ? undefined : 'traces: what is read next depends on it');
  return { ...(problem !== undefined && { problem }), read: damaged.reading !== undefined, spent: user + system };
}

interface Answered {
  readonly reading?: StatsReading;
  readonly problem?: string;
}

class Target {
  private readonly reader: StatsReader;
  private readonly mesh = new TargetMesh({
    labels: { service: 'service_a' },
    address: '10.0.0.5:9901',
    host: '10.0.0.5',
    rules: NO_RULES,
    seriesLimit: SERIES_LIMIT,
    stored: undefined,
  });
  private at = Date.UTC(2030, 0, 1);

  constructor(form: FormName) {
    this.reader = FORMS[form].reader(true);
  }

  answer(body: Buffer): Answered {
    let reading: StatsReading;
    try {
      reading = this.reader.read(body);
    } catch (error) {
      if (!(error instanceof StatsError)) return { problem: `reader: threw ${error}` };
      return error.message.length > LONGEST_REASON ? { problem: `reader: says too much: ${error.message}` } : {};
    }
    const lent = this.reader instanceof TextStatsReader ? this.reader.lend(body) : reading;
    const problem = problemOfReading(reading, body.length) ?? problemOfLent(owned(lent), reading) ?? this.observe(lent);
    return { reading, ...(problem !== undefined && { problem }) };
  }

  private observe(reading: StatsReading): string | undefined {
    this.at += 15_000;
    const { precision } = this.reader;
    const times = { at: this.at, infoAt: this.at, previousRound: this.at - 15_000 };
    try {
      return problemOfFindings(
        this.mesh.observe({ reading, precision, info: undefined, managers: new Set(), ...times }),
      );
    } catch (error) {
      if (error instanceof CountError) return undefined;
      if (error instanceof Error && error.message.includes('scrape.series_limit')) return undefined;
      return `mesh: threw ${error}`;
    }
  }
}

/** A lent reading says the same, apart from histograms that it left unread. */
function problemOfLent(lent: StatsReading, reading: StatsReading): string | undefined {
  if (!sameList(lent.values, reading.values)) return 'lent: other counters or gauges';
  for (let slot = 0; slot < reading.layout.histograms.length; slot++)
    if (lent.unread?.[slot] !== 1 && binText(lent, slot) !== binText(reading, slot)) return 'lent: other bins';
  return undefined;
}

function binText({ binStarts, binKeys, binCounts }: StatsReading, slot: number): string {
  const [start, end] = [binStarts[slot], binStarts[slot + 1]];
  return `${binKeys.subarray(start, end)}:${binCounts.subarray(start, end)}`;
}

function problemOfReading(reading: StatsReading, bytes: number): string | undefined {
  const { layout, values, binStarts, binKeys, binCounts } = reading;
  if (values.length !== layout.scalars.length || !values.every(isCount)) return 'reading: a value is no count';
  if (binStarts.length !== layout.histograms.length + 1) return 'reading: histograms and bins differ in number';
  if (binStarts[0] !== 0 || binStarts.at(-1) !== binKeys.length) return 'reading: bins belong to no histogram';
  if (binCounts.length !== binKeys.length || !binCounts.every(isCount)) return 'reading: a bin holds no count';
  if (values.length + binStarts.length + binKeys.length > bytes + 2) return 'reading: larger than its body';
  for (let i = 0; i + 1 < binStarts.length; i++) {
    for (let j = (binStarts[i] ?? 0) + 1; j < (binStarts[i + 1] ?? 0); j++)
      if ((binKeys[j] ?? 0) <= (binKeys[j - 1] ?? 0)) return 'reading: bins out of order';
  }
  return undefined;
}

function problemOfFindings({ observation, flowTotals, totals }: ScrapeFindings): string | undefined {
  for (const { flow, counters, gauges, bins } of [...observation.flows, ...flowTotals]) {
    const who = `${flow.direction} ${flow.peer}`;
    if (!counters.every(isAmount)) return `increment: a counter of ${who} is no amount`;
    if (!gauges.every(isAmount)) return `increment: a gauge of ${who} is no amount`;
    if (!bins.counts.every(isAmount) || bins.keys.length !== bins.counts.length) return `increment: bins of ${who}`;
  }
  const { from, to } = observation;
  if (!(from <= to)) return `increment: covers ${from} to ${to}`;
  return decodeTotals(totals) ? undefined : 'totals: can not be read back';
}

function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}

function isAmount(value: number): boolean {
  return Number.isFinite(value) && value >= 0;
}

function sameReading({ reading: a }: Answered, { reading: b }: Answered): boolean {
  if (!a || !b) return a === b;
  return (
    sameList(a.values, b.values) &&
    sameList(a.binKeys, b.binKeys) &&
    sameList(a.binCounts, b.binCounts) &&
    sameList(a.binStarts, b.binStarts) &&
    sameList(a.layout.scalars, b.layout.scalars) &&
    sameList(a.layout.histograms, b.layout.histograms)
  );
}

function sameList<T>(a: ArrayLike<T>, b: ArrayLike<T>): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
