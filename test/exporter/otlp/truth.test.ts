/** What a receiver gets adds up to what happened, whatever fails and whoever restarts. */

import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Live } from '../../../server/live/live.ts';
import { FlowTotals } from '../../../server/model/flow-totals.ts';
import type { ScrapeRecord } from '../../../server/model/scrape-record.ts';
import { discovered } from '../../live/live-targets.ts';
import { binsOf, counters, flowKey, gauges, goodScrape, identity } from '../../store/records.ts';
import { temporaryFolder } from '../../store/temporary-folder.ts';
import { valuesOf } from './decoded.ts';
import { type Pushing, pushing } from './pushing.ts';
import { accepts, answers, type FakeReceiver, fakeReceiver, hangsUp } from './receivers.ts';

const START = 1_700_000_000_000;
const TARGET = '10.0.0.1:9901';

type Temporality = 'delta' | 'cumulative';

/** One target that counts, a collector on it that may die, and the receiver that it pushes to. */
class Story {
  readonly receiver: FakeReceiver;
  private readonly temporality: Temporality;
  private readonly statePath = join(temporaryFolder(), 'sidelight.db.otlp');
  private readonly byLatency: Record<number, number> = {};
  private clock = START;
  /** Null for a collector that began in the middle. */
  private countedSince: number | null = START;
  private life!: Pushing;
  requests = 0;

  private constructor(receiver: FakeReceiver, temporality: Temporality) {
    this.receiver = receiver;
    this.temporality = temporality;
  }

  static async begin(temporality: Temporality): Promise<Story> {
    const story = new Story(await fakeReceiver(), temporality);
    await story.live([]);
    story.scrape(0);
    return story;
  }

  /** The collector starts, and knows what is stored. */
  private async live(known: readonly string[]): Promise<void> {
    const live = new Live();
    live.setTargets(
      [discovered(TARGET)],
      known.map((target) => ({ target, identity: identity(), inbound: true, flows: this.total() })),
    );
    const { url } = this.receiver;
    const settings = { url, temporality: this.temporality };
    const remembered = new Set(known);
    this.life = await pushing({ settings, live, remembered, statePath: this.statePath });
  }

  private total() {
    const latency = binsOf(this.byLatency);
    return FlowTotals.of([
      { flow: flowKey({}), counters: counters({ '2xx': this.requests }), gauges: gauges(), bins: latency },
    ]);
  }

  /** So many requests of 20 ms, and as many more of 300 ms, are counted. */
  scrape(more: number): void {
    const from = this.clock;
    this.clock += 10_000;
    this.requests += 2 * more;
    for (const ms of [20, 300]) this.byLatency[ms] = (this.byLatency[ms] ?? 0) + more;
    const record: ScrapeRecord & { findings: object } = goodScrape({
      target: TARGET,
      from,
      to: this.clock,
      flows: [{ counters: { '2xx': 2 * more }, latency: { 20: more, 300: more } }],
      findings: { flowTotals: this.total(), countedSince: this.countedSince },
    });
    this.life.live.apply([record]);
  }

  async push(): Promise<void> {
    this.clock += 1000;
    await this.life.push(this.clock);
    expect(this.life.errors).toEqual([]);
  }

  /** The collector is killed and starts again. */
  async restart(more: number): Promise<void> {
    await this.life.exporter.close();
    this.countedSince = null;
    await this.live([TARGET]);
    this.scrape(more);
  }

  forgetState(): void {
    if (existsSync(this.statePath))
      writeFileSync(this.statePath, `${readFileSync(this.statePath, 'utf8').slice(0, 40)}…`);
  }

  /** What a push told the receiver, that took it. */
  async taken(): Promise<{ requests: number; samples: number; since: number | undefined; at: number }> {
    this.receiver.script(accepts);
    const before = this.receiver.received.length;
    await this.push();
    return summed(this.receiver.received.slice(before));
  }
}

function summed(received: FakeReceiver['received']) {
  const resources = received.flatMap((one) => one.resources);
  const points = resources
    .flatMap(({ metrics }) => metrics.filter(({ name }) => name === 'mesh.requests'))
    .flatMap((m) => m.points);
  const sum = (metric: string) => [...valuesOf(resources, metric).values()].reduce((total, value) => total + value, 0);
  return {
    requests: sum('mesh.requests'),
    samples: sum('mesh.request.duration'),
    since: points[0]?.since,
    at: points[0]?.at ?? 0,
  };
}

type Step =
  | { readonly kind: 'scrape' | 'restart'; readonly more: number }
  | { readonly kind: 'push'; readonly answer: 'taken' | 'refused' | 'late' | 'broken' };

const steps = fc.array(
  fc.oneof(
    fc.record({ kind: fc.constantFrom('scrape' as const, 'restart' as const), more: fc.nat(1000) }),
    fc.record({
      kind: fc.constant('push' as const),
      answer: fc.constantFrom('taken' as const, 'refused' as const, 'late' as const, 'broken' as const),
    }),
  ),
  { maxLength: 12 },
);

const SCRIPTS = {
  taken: [accepts],
  refused: [answers(400)],
  late: [answers(503), answers(429), accepts],
  broken: [hangsUp],
};

async function play(story: Story, step: Step): Promise<number> {
  if ('more' in step) {
    if (step.kind === 'scrape') story.scrape(step.more);
    else await story.restart(step.more);
  } else {
    const before = story.receiver.received.length;
    story.receiver.script(...SCRIPTS[step.answer]);
    await story.push();
    const isTaken = step.answer === 'taken' || step.answer === 'late';
    if (isTaken) return summed(story.receiver.received.slice(before).slice(-1)).requests;
  }
  return 0;
}

test('increments: all that were taken add up to what was counted', async () => {
  await fc.assert(
    fc.asyncProperty(steps, async (script) => {
      const story = await Story.begin('delta');
      let taken = (await story.taken()).requests;
      for (const step of script) taken += await play(story, step);
      taken += (await story.taken()).requests;
      expect(taken).toBe(story.requests);
    }),
    { numRuns: 30 },
  );
}, 60_000);

test('increments are told with the time that they are over', async () => {
  const story = await Story.begin('delta');
  story.scrape(5);
  const first = await story.taken();
  story.scrape(7);
  story.receiver.script(hangsUp);
  await story.push();
  story.scrape(1);
  const second = await story.taken();
  expect([first, second]).toMatchObject([
    { requests: 10, samples: 10, since: START },
    { requests: 16, samples: 16, since: first.at },
  ]);
  await story.restart(2);
  const third = await story.taken();
  expect(third).toMatchObject({ requests: 4, samples: 4, since: second.at });
});

test('increments of targets that are gone by the next push are told with it, and once', async () => {
  const receiver = await fakeReceiver();
  const life = await pushing({ settings: { url: receiver.url, temporality: 'delta' } });
  const counted = (target: string, requests: number, at: number) =>
    goodScrape({
      target,
      from: START,
      to: at,
      identity: { instance: 'same name' },
      flows: [{ counters: { '2xx': requests }, gauges: { active_requests: 5 } }],
      findings: { countedSince: START },
    });
  const told = async (at: number) => {
    const before = receiver.received.length;
    await life.push(at);
    const [resources] = receiver.received.slice(before).map((one) => one.resources);
    const sum = (metric: string) => [...valuesOf(resources ?? [], metric).values()].reduce((all, one) => all + one, 0);
    return [sum('mesh.requests'), sum('mesh.active_requests'), sum('mesh.sidecar.up')];
  };
  life.live.setTargets([discovered(TARGET)]);
  life.live.apply([counted(TARGET, 10, START + 1000)]);
  expect(await told(START + 2000)).toEqual([10, 5, 1]);
  life.live.apply([counted(TARGET, 17, START + 3000)]);
  life.live.setTargets([discovered('10.0.0.2:9901')]);
  receiver.script(answers(400));
  await told(START + 4000);
  receiver.script(accepts);
  life.live.apply([counted('10.0.0.2:9901', 100, START + 5000)]);
  expect(await told(START + 6000)).toEqual([107, 5, 1]);
  expect(await told(START + 7000)).toEqual([0, 5, 1]);
  life.live.apply([counted('10.0.0.2:9901', 101, START + 8000)]);
  life.live.setTargets([]);
  expect(await told(START + 9000)).toEqual([1, 0, 0]);
  expect(await told(START + 10_000)).toEqual([0, 0, 0]);
});

test('totals: since when they count stays the same over restarts, and they never fall', async () => {
  const story = await Story.begin('cumulative');
  story.scrape(5);
  const first = await story.taken();
  expect(first).toMatchObject({ requests: 10, samples: 10, since: START });
  story.receiver.script(answers(400));
  await story.push();
  await story.restart(3);
  expect(await story.taken()).toMatchObject({ requests: 16, samples: 16, since: START });
});

describe('a collector whose notes are lost', () => {
  test('tells totals without saying since when', async () => {
    const story = await Story.begin('cumulative');
    story.scrape(5);
    await story.taken();
    story.forgetState();
    await story.restart(3);
    expect(await story.taken()).toMatchObject({ requests: 16, since: undefined });
  });

  test('tells increments from then on', async () => {
    const story = await Story.begin('delta');
    story.scrape(5);
    await story.taken();
    story.forgetState();
    await story.restart(3);
    expect(await story.taken()).toMatchObject({ requests: 0 });
    story.scrape(2);
    expect(await story.taken()).toMatchObject({ requests: 4 });
  });
});
