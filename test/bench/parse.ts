/** What reading one scrape costs, against the goals of the project. */

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
  const foreign = foreignFigures(Math.ceil(rounds / 4));
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
 * One read blocks the event loop from start to end, so the longest stretch is the longest of all of them. Called before
 * anything is compiled, so that the first read of a process is among them.
 */
function foreignFigures(rounds: number): Figure[] {
  const body = foreignBody(MOMENTS[0] ?? { scalars: {} }, 10);
  const first: number[] = [];
  const again: number[] = [];
  const cpu: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const { reader, mesh } = newTarget('prometheus');
    for (const stretches of [first, again]) {
      const before = process.cpuUsage();
      stretches.push(milliseconds(() => observe(mesh, reader.lend(body), round)));
      const { user, system } = process.cpuUsage(before);
      cpu.push((user + system) / 1000);
    }
  }
  const longest = Math.max(...first, ...again);
  return [
    {
      about: `foreign body, ${body.length} bytes: CPU, first read included (longest)`,
      figure: `${Math.max(...cpu).toFixed(1)} ms`,
      goal: 'at most 60 ms',
      met: Math.max(...cpu) <= 60,
    },
    plain('foreign body: first read of a process', `${(first[0] ?? Number.NaN).toFixed(1)} ms`),
    plain('foreign body: first read (median)', `${median(first).toFixed(1)} ms`),
    plain('foreign body: further reads (median)', `${median(again).toFixed(1)} ms`),
    {
      about: 'foreign body: longest stretch without a pause',
      figure: `${longest.toFixed(1)} ms`,
      goal: 'under 20 ms',
      met: longest < 20,
    },
  ];
}

function plain(about: string, figure: string): Figure {
  return { about, figure, goal: '', met: true };
}

/** CPU of this thread alone, collections on it included: on a busy machine the clock would count the others' turns. */
function milliseconds(work: () => void): number {
  const before = process.threadCpuUsage();
  work();
  const { user, system } = process.threadCpuUsage(before);
  return (user + system) / 1000;
}

/** Successive scrapes of one target; the first one, which learns the names, is not counted. */
class Scrapes implements Subject {
  readonly units = SCRAPES;
  private readonly form: FormName;
  private readonly bodies: readonly Buffer[];
  private readonly normalise: boolean;
  private target: ReturnType<typeof newTarget>;

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

function newTarget(form: FormName): { reader: StatsReader; mesh: TargetMesh } {
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
