/**
 * Whoever asks gets the same figures: rows of `db export`, tables for plain SQL, `stat` and the API tell of random meshes
 * what was put in, whatever the names are and however old it is.
 */

import { join } from 'node:path';
import Database from 'better-sqlite3';
import { expect, onTestFinished, test } from 'vitest';
import { type Random, seededRandom } from '../../examples/meshes/random.ts';
import type { QueryAnswer, ServiceSummary, ServicesAnswer } from '../../server/api/contract.ts';
import { dbExport } from '../../server/cli/db.ts';
import { stat } from '../../server/cli/stat.ts';
import { printable } from '../../server/cli/table.ts';
import type { Identity } from '../../server/model/flow.ts';
import type { ScrapeRecord } from '../../server/model/scrape-record.ts';
import { SqliteStore } from '../../server/store/sqlite/sqlite-store.ts';
import { type RunningApi, startApi } from '../api/running-api.ts';
import { discovered } from '../live/live-targets.ts';
import { storeOptions } from '../store/options.ts';
import { type FlowSpec, goodScrape } from '../store/records.ts';
import { temporaryFolder } from '../store/temporary-folder.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const START = 1_699_999_200_000;
const SCRAPES = 300;
const INTERVAL = 10_000;
const END = START + SCRAPES * INTERVAL + 2 * INTERVAL;

const NAMES = ['plain', 'a "b", c', 'line\nbreak\r', '<b>&amp;', 'שלום עולם', '🛒', "=1+1;'x'", ' blank '];
const NAMESPACES = ['', 'n,1', 'é"'];
const LATENCIES = [0, 3, 20, 99, 250, 3000];

const below = (random: Random, end: number): number => Math.floor(random() * end);
const oneOf = <T>(random: Random, all: readonly T[], first: T): T => all[below(random, all.length)] ?? first;

/** How much of it there is: nothing, hardly anything, or enough. */
type Traffic = 'none' | 'little' | 'much';

interface Sidecar {
  readonly address: string;
  readonly identity: Partial<Identity>;
  readonly traffic: Traffic;
  readonly flows: readonly FlowSpec[];
  /** Its scrapes come so much after those of others, milliseconds. */
  readonly phase: number;
  readonly until: number;
}

function meshOf(random: Random): Sidecar[] {
  return NAMES.map((service, index) => {
    const source = random() < 0.5 ? 'downstream' : 'upstream';
    const region = oneOf(random, ['', 'eu', 'us'], '');
    const own = { service, namespace: oneOf(random, NAMESPACES, ''), instance: `${service}\t${index}` };
    return {
      address: `10.0.0.${index}:9901`,
      identity: { ...own, region, zone: region && `${region}-1` },
      traffic: index === 0 ? 'much' : oneOf<Traffic>(random, ['none', 'little', 'much', 'much'], 'much'),
      flows: [{ source }, { direction: 'outbound', peer: oneOf(random, NAMES, ''), peerNamespace: '' }],
      phase: below(random, INTERVAL),
      until: random() < 0.2 ? SCRAPES / 2 : SCRAPES,
    };
  });
}

function counted(random: Random, traffic: Traffic, flow: FlowSpec): FlowSpec {
  const isIdle = traffic === 'none' || (traffic === 'little' && random() < 0.95);
  if (isIdle) return flow;
  const [ok, failed, timeouts] = [1 + below(random, traffic === 'little' ? 2 : 40), below(random, 3), below(random, 2)];
  const isTimed = flow.source === 'upstream';
  const latency: Record<number, number> = {};
  for (let left = ok + failed; left > 0; left--) {
    const ms = oneOf(random, LATENCIES, 0);
    latency[ms] = (latency[ms] ?? 0) + 1;
  }
  const counters = {
    '2xx': ok,
    '4xx': below(random, 2),
    '5xx': failed + timeouts,
    ...(isTimed && { timed_out: timeouts }),
  };
  return { ...flow, counters, latency };
}

class World {
  readonly sidecars: readonly Sidecar[];
  readonly path = join(temporaryFolder(), 'sidelight.db');
  readonly options;
  store!: SqliteStore;
  api!: RunningApi;
  /** Requests, failures and samples by direction, service, namespace and peer. */
  readonly truth = new Map<string, number>();
  private readonly random: Random;
  private latest: ScrapeRecord[] = [];

  constructor(seed: number, retentionMs: Parameters<typeof storeOptions>[1]) {
    this.random = seededRandom(seed);
    this.sidecars = meshOf(this.random);
    this.options = storeOptions(this.path, retentionMs);
  }

  async begin(): Promise<void> {
    this.store = await SqliteStore.open(this.options);
    onTestFinished(() => this.store.close());
    for (let round = 0; round < SCRAPES; round++) {
      await this.store.append(this.scrapes(round));
      if (round % 90 === 89) while (await this.store.upkeep(START + round * INTERVAL));
    }
    while (await this.store.upkeep(END));
    this.api = await startApi(
      { targets: this.sidecars.map(({ address }) => discovered(address)), records: this.latest },
      { store: this.store, now: () => END },
    );
    onTestFinished(() => this.api.stop());
  }

  private scrapes(round: number): ScrapeRecord[] {
    const records = this.sidecars
      .filter(({ until }) => round < until)
      .map(({ address, identity, traffic, flows, phase }) => {
        const from = START + round * INTERVAL + phase;
        const told = flows.map((flow) => counted(this.random, traffic, flow));
        for (const flow of told) this.count(identity, flow);
        return goodScrape({ target: address, from, to: from + INTERVAL, identity, flows: told });
      });
    const told = new Set(records.map(({ target }) => target));
    this.latest = [...this.latest.filter(({ target }) => !told.has(target)), ...records];
    return records;
  }

  private count({ service, namespace }: Partial<Identity>, flow: FlowSpec): void {
    const { direction = 'inbound', peer = '', counters = {}, latency = {} } = flow;
    const name = JSON.stringify([direction, service, namespace, peer]);
    const classes = (counters['2xx'] ?? 0) + (counters['4xx'] ?? 0) + (counters['5xx'] ?? 0);
    const samples = Object.values(latency).reduce((sum, count) => sum + count, 0);
    for (const [kind, count] of [
      ['requests', classes],
      ['requests_5xx', counters['5xx'] ?? 0],
      ['latency_samples', samples],
    ] as const)
      this.truth.set(`${name} ${kind}`, (this.truth.get(`${name} ${kind}`) ?? 0) + count);
  }

  async export(format: 'csv' | 'jsonl', more: { by?: string; step?: string } = {}): Promise<string> {
    let text = '';
    const { retentionMs, path } = this.options;
    const terminal = { out() {}, err() {} };
    const flags = { storagePath: path };
    const times = { from: String(START), to: String(END) };
    expect(retentionMs).toBeDefined();
    const all = {
      file: undefined,
      flags,
      terminal,
      output: undefined,
      format,
      step: '1m',
      by: undefined,
      ...times,
      ...more,
    };
    await dbExport(all, async (piece) => {
      text += piece;
    });
    return text;
  }
}

type Row = Record<string, string | number | null>;
const rowsOf = (text: string): Row[] =>
  text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Row);

/** Fields of CSV by RFC 4180. */
function fieldsOf(text: string): string[][] {
  const lines: string[][] = [[]];
  for (const [, quoted, plain = '', end] of text.matchAll(/(?:"((?:[^"]|"")*)"|([^,"\n]*))(,|\n)/g)) {
    lines.at(-1)?.push(quoted === undefined ? plain : quoted.replaceAll('""', '"'));
    if (end === '\n') lines.push([]);
  }
  return lines.slice(0, -1);
}

const rounded = (value: number): number => Math.round(value * 1e6) / 1e6;
const plain = (counts: ReadonlyMap<string, number>) =>
  Object.fromEntries(
    [...counts].map(([name, count]) => [name, rounded(count)] as const).filter(([, count]) => count > 0),
  );

function sumsOf(rows: readonly Row[]) {
  const sums = new Map<string, number>();
  for (const row of rows)
    for (const kind of ['requests', 'requests_5xx', 'latency_samples']) {
      const name = `${JSON.stringify([row.direction, row.service, row.namespace, row.peer])} ${kind}`;
      sums.set(name, (sums.get(name) ?? 0) + Number(row[kind]));
    }
  return plain(sums);
}

const LONG = {};
const SHORT = { retentionMs: { raw: 10 * MINUTE, '1m': 20 * MINUTE, '10m': 3 * HOUR, '1h': 400 * 24 * HOUR } };

async function expectRows(world: World): Promise<void> {
  const text = await world.export('jsonl');
  const rows = rowsOf(text);
  expect(sumsOf(rows)).toEqual(plain(world.truth));
  const [head = [], ...lines] = fieldsOf(await world.export('csv'));
  const asText = (row: Row) => head.map((name) => String(row[name] ?? ''));
  expect(lines).toEqual(rows.map(asText));
  expect(head).toEqual(Object.keys(rows[0] ?? {}));
  for (const step of ['7m', '1h'])
    expect(sumsOf(rowsOf(await world.export('jsonl', { step, by: 'service,namespace,peer' }))), step).toEqual(
      plain(world.truth),
    );
}

/** By service and namespace, and by step. */
async function stepsOf(world: World, signal: string): Promise<Map<string, number | null>> {
  const search = new URLSearchParams({ signal, by: 'service,namespace', step: '1m', from: `${START}`, to: `${END}` });
  const { series } = await world.api.get<QueryAnswer>(`/api/v1/query?${search}`);
  return new Map(
    series.flatMap(({ labels: { service = '', namespace = '' }, points }) =>
      points.map(([at, value]): [string, number | null] => [JSON.stringify([service, namespace, at]), value]),
    ),
  );
}

async function expectTables(world: World): Promise<void> {
  while (await world.store.upkeep(END + HOUR));
  const database = new Database(world.path, { readonly: true });
  onTestFinished(() => void database.close());
  const minutes = database.prepare('SELECT * FROM service_minutes').all() as Row[];
  const keyOf = ({ service, namespace, minute }: Row) => JSON.stringify([service, namespace, minute]);
  const requests = await stepsOf(world, 'requests');
  const expected = [...requests].filter(([, count]) => (count ?? 0) > 0);
  expect(Object.fromEntries(minutes.map((row) => [keyOf(row), rounded(Number(row.requests))]))).toEqual(
    Object.fromEntries(expected.map(([key, count]) => [key, rounded(count ?? 0)])),
  );
  const errors = await stepsOf(world, 'error_rate');
  for (const row of minutes)
    expect(Number(row.failures) / Number(row.requests), keyOf(row)).toBeCloseTo(errors.get(keyOf(row)) ?? -1, 9);
  for (const percentile of ['p50', 'p95', 'p99']) {
    const told = await stepsOf(world, `latency_${percentile}`);
    const known = minutes.filter((row) => row[`${percentile}_ms`] !== null);
    expect(known.length).toBeGreaterThan(minutes.length / 2);
    for (const row of known)
      expect(row[`${percentile}_ms`], `${percentile} of ${keyOf(row)}`).toBeCloseTo(told.get(keyOf(row)) ?? -1, 6);
  }
  const hours = database.prepare('SELECT * FROM service_hours').all() as Row[];
  const total = (rows: readonly Row[], name: string) => rounded(rows.reduce((sum, row) => sum + Number(row[name]), 0));
  for (const name of ['requests', 'requests_2xx', 'requests_5xx', 'failures'])
    expect(total(hours, name), name).toBe(total(minutes, name));
  const seen = database.prepare('SELECT address, service, namespace, instance, region, zone FROM targets_seen').all();
  const byAddress = (a: Row, b: Row) => (String(a.address) < String(b.address) ? -1 : 1);
  expect((seen as Row[]).sort(byAddress)).toEqual(
    world.sidecars.map(({ address, identity }) => ({ address, ...identity })).sort(byAddress),
  );
}

/** A figure of the table, in /s, % or ms. */
function figureOf(text: string): number | null {
  const [, value, unit = ''] = /^>? ?([\d.]+) ?(\D*)$/.exec(text.trim()) ?? [];
  const scales: Record<string, number> = { 'k/s': 1000, s: 1000, 'M/s': 1e6 };
  return value === undefined ? null : Number(value) * (scales[unit] ?? 1);
}

const STATES: Record<ServiceSummary['state'], RegExp> = {
  ok: /^ok$/,
  no_traffic: /^no traffic$/,
  no_data: /^no data$/,
  too_little_data: /^too little data \(\d/,
};

async function expectStat(world: World): Promise<void> {
  for (const window of ['30s', '5m', '1h']) {
    const answer = await world.api.get<ServicesAnswer>(`/api/v1/services?window=${window}`);
    expect(answer.services).toHaveLength(NAMES.length);
    const printed = { table: [] as string[], json: [] as string[] };
    for (const output of ['table', 'json'] as const) {
      const terminal = {
        out: (line: string) => void printed[output].push(line),
        err: (line: string) => expect.fail(line),
      };
      expect(await stat({ url: world.api.url, window, output, terminal, fetch })).toBe(0);
    }
    expect(JSON.parse(printed.json.join('\n'))).toEqual(answer);
    const [head = '', ...lines] = printed.table;
    expect(lines).toHaveLength(answer.services.length);
    for (const one of answer.services) {
      const name = printable(one.service);
      const row = lines.find((line) => line.startsWith(`${name}  `)) ?? '';
      const cells = row.slice(name.length).trim().split(/ {2,}/);
      if (head.includes('NAMESPACE') && one.namespace !== '') expect(cells.shift()).toBe(one.namespace);
      const [up, state = ''] = cells.slice(5);
      const { requestRate, successRate, latencyMs } = one;
      const told = [requestRate, successRate && 100 * successRate, latencyMs.p50, latencyMs.p95, latencyMs.p99];
      for (const [index, value] of told.entries()) {
        const figure = figureOf(cells[index] ?? '');
        if (value === null) expect(figure, row).toBeNull();
        else expect(Math.abs((figure ?? -1) - value), row).toBeLessThanOrEqual(0.0051 * value);
      }
      expect(up).toBe(`${one.instances.up}/${one.instances.total}`);
      expect(state, row).toMatch(STATES[one.state]);
    }
  }
}

test('of mesh 1, kept by the minute for long', async () => {
  const world = new World(1, LONG);
  await world.begin();
  await expectRows(world);
  await expectStat(world);
  await expectTables(world);
});

test('of mesh 2, of which little is kept by the minute', async () => {
  const world = new World(2, SHORT);
  await world.begin();
  await expectRows(world);
});
