/** What reading one scrape costs, against the goals of the project. */

import { setImmediate } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import type { StatsReader } from '../../server/envoy/stats.ts';
import { NO_RULES } from '../../server/mesh/naming-rules.ts';
import { TargetMesh } from '../../server/mesh/target-mesh.ts';
import { FORMS, type FormName } from '../envoy/five-forms.ts';
import { foreignBody } from './foreign.ts';
import { bytesPerCall, cpuPerUnit, median, type Subject } from './measure.ts';
import { sidecarMoments } from './sidecar.ts';

const MOMENTS = sidecarMoments(31);
const SCRAPES = MOMENTS.length - 1;

/** Prints the figures; false when one misses its goal. */
export async function parseBenchmark(args: readonly string[]): Promise<boolean> {
  const { values } = parseArgs({ args: [...args], options: { rounds: { type: 'string', default: '60' } } });
  const rounds = Number(values.rounds);
  if (!Number.isInteger(rounds) || rounds < 1) throw new Error(`--rounds=${values.rounds}: a whole number from 1 on`);
  const foreign = await foreignFigures(Math.ceil(rounds / 4));
  const goals = [...sidecarFigures(rounds), ...foreign];
  for (const { about, figure, goal, met } of goals)
    console.log(`${about.padEnd(62)} ${figure.padStart(14)}   ${goal && `${met ? 'met' : 'MISSED'}: ${goal}`}`);
  return goals.every(({ met }) => met);
}

interface Figure {
  readonly about: string;
  readonly figure: string;
  /** Empty where the figure has none. */
  readonly goal: string;
  readonly met: boolean;
}

function sidecarFigures(rounds: number): Figure[] {
  const json = new Json();
  const scrapes = { text: new Scrapes('text'), prometheus: new Scrapes('prometheus') };
  const cpu = cpuPerUnit(
    {
      json,
      text: scrapes.text,
      textRead: new Scrapes('text', false),
      prometheus: scrapes.prometheus,
      prometheusRead: new Scrapes('prometheus', false),
    },
    rounds,
  );
  const { text, prometheus } = scrapes;
  text.prepare();
  const bytes = bytesPerCall(SCRAPES, (index) => text.scrape(index + 1));
  const speed = prometheus.size / cpu.prometheusRead;
  return [
    plain(`JSON.parse alone, ${json.size} bytes`, `${cpu.json.toFixed(1)} µs`),
    plain(`text: read, normalise, diff, ${text.size} bytes`, `${cpu.text.toFixed(1)} µs`),
    plain('text: read alone', `${cpu.textRead.toFixed(1)} µs`),
    {
      about: 'text, as a part of JSON.parse',
      figure: `1/${(cpu.json / cpu.text).toFixed(1)}`,
      goal: 'at most 1/5',
      met: cpu.text * 5 <= cpu.json,
    },
    plain('text: bytes allocated per scrape', `${bytes}`),
    plain(`Prometheus: read, normalise, diff, ${prometheus.size} bytes`, `${cpu.prometheus.toFixed(1)} µs`),
    {
      about: 'Prometheus: read alone',
      figure: `${speed.toFixed(0)} MB/s`,
      goal: 'at least 150 MB/s',
      met: speed >= 150,
    },
  ];
}

/**
 * Every stretch of work without a pause counts, the first ones of the process among them: this is called before anything
 * is compiled. A target's first answer is counted only after /server_info was asked, which is a pause too.
 */
async function foreignFigures(rounds: number): Promise<Figure[]> {
  const body = foreignBody(MOMENTS[0] ?? { scalars: {} }, 10);
  // What was left over from making the body is not collected at the reader's cost.
  globalThis.gc?.();
  const longest = { first: [] as number[], again: [] as number[] };
  const cpu: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const target = newTarget('prometheus');
    for (const which of ['first', 'again'] as const) {
      const before = process.cpuUsage();
      longest[which].push(await longestStretch(target, body, which === 'first'));
      const { user, system } = process.cpuUsage(before);
      cpu.push((user + system) / 1000);
    }
  }
  const most = Math.max(...longest.first, ...longest.again);
  return [
    {
      about: `foreign body, ${body.length} bytes: CPU, first read included (longest)`,
      figure: `${Math.max(...cpu).toFixed(1)} ms`,
      goal: 'at most 60 ms',
      met: Math.max(...cpu) <= 60,
    },
    plain('foreign body: CPU (median)', `${median(cpu).toFixed(1)} ms`),
    plain('foreign body: longest stretch, first of a process', `${(longest.first[0] ?? Number.NaN).toFixed(1)} ms`),
    plain('foreign body: longest stretch, first of a target (median)', `${median(longest.first).toFixed(1)} ms`),
    plain('foreign body: longest stretch, thereafter (median)', `${median(longest.again).toFixed(1)} ms`),
    {
      about: 'foreign body: longest stretch without a pause',
      figure: `${most.toFixed(1)} ms`,
      goal: 'under 20 ms',
      met: most < 20,
    },
  ];
}

/** Milliseconds of this thread, in the turns in which a scraper reads a body and counts it. */
async function longestStretch({ reader, mesh }: Target, body: Buffer, pauseToCount: boolean): Promise<number> {
  let longest = 0;
  let began = process.threadCpuUsage();
  const pause = async () => {
    longest = Math.max(longest, threadMsSince(began));
    await setImmediate();
    began = process.threadCpuUsage();
  };
  const shortened = (await reader.shorten?.(body, pause)) ?? body;
  const reading = reader.lend(shortened);
  if (pauseToCount) await pause();
  observe(mesh, reading, 0);
  return Math.max(longest, threadMsSince(began));
}

function plain(about: string, figure: string): Figure {
  return { about, figure, goal: '', met: true };
}

/** CPU of this thread alone, collections on it included: on a busy machine the clock would count the others' turns. */
function threadMsSince(before: NodeJS.CpuUsage): number {
  const { user, system } = process.threadCpuUsage(before);
  return (user + system) / 1000;
}

/** Successive scrapes of one target; the first one, which learns the names, is not counted. */
class Scrapes implements Subject {
  readonly units = SCRAPES;
  private readonly form: FormName;
  private readonly bodies: readonly Buffer[];
  private readonly normalise: boolean;
  private target: Target;

  constructor(form: FormName, normalise = true) {
    this.form = form;
    this.normalise = normalise;
    this.bodies = MOMENTS.map((moment) => FORMS[form].render(moment));
    this.target = newTarget(form);
  }

  /** Bytes of a body. */
  get size(): number {
    return this.bodies.at(-1)?.length ?? 0;
  }

  prepare(): void {
    this.target = newTarget(this.form);
    this.scrape(0);
  }

  run(): void {
    for (let index = 1; index <= SCRAPES; index++) this.scrape(index);
  }

  scrape(index: number): void {
    const reading = this.target.reader.lend(this.bodies[index] ?? Buffer.of());
    if (this.normalise) observe(this.target.mesh, reading, index);
  }
}

class Json implements Subject {
  readonly units = SCRAPES;
  private readonly texts = MOMENTS.slice(1).map((moment) => FORMS.json.render(moment).toString('utf8'));

  get size(): number {
    return this.texts.at(-1)?.length ?? 0;
  }

  prepare(): void {}

  run(): void {
    for (const text of this.texts) JSON.parse(text);
  }
}

interface Target {
  readonly reader: StatsReader;
  readonly mesh: TargetMesh;
}

function newTarget(form: FormName): Target {
  const mesh = new TargetMesh({
    labels: { service: 'checkout' },
    address: '10.0.0.5:9901',
    host: '10.0.0.5',
    rules: NO_RULES,
    seriesLimit: 20_000,
    stored: undefined,
  });
  return { reader: FORMS[form].reader(true), mesh };
}

const START = Date.UTC(2030, 0, 1);
const INTERVAL_MS = 15_000;
const MANAGERS = new Set(['ingress_http', 'egress_http', 'ingress_https', 'admin']);

function observe(mesh: TargetMesh, reading: ReturnType<StatsReader['read']>, index: number): void {
  const at = START + index * INTERVAL_MS;
  const uptimeSeconds = 3600 + (index * INTERVAL_MS) / 1000;
  const info = { version: '1.40.0', uptimeSeconds, nodeId: 'a', nodeCluster: 'checkout', region: 'eu', zone: 'eu-1' };
  mesh.observe({
    reading,
    precision: 'bins',
    at,
    info,
    infoAt: at,
    managers: MANAGERS,
    previousRound: at - INTERVAL_MS,
  });
}
