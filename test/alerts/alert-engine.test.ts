import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { MEMORY_PATH, MemoryStore } from '../../server/store/memory-store.ts';
import { SqliteStore } from '../../server/store/sqlite/sqlite-store.ts';
import { QueryStoppedError } from '../../server/store/store.ts';
import { storeOptions } from '../store/options.ts';
import { temporaryFolder } from '../store/temporary-folder.ts';
import { MINUTE, Simulation, START, traffic } from './simulated.ts';

const FAILING = `
  rules:
    - { name: Failing, signal: error_rate, above: 10%, window: 1m, for: 30s, keep_firing_for: 20s, min_requests: 50,
        annotations: { summary: "{{ .labels.service }}: {{ .value }} of {{ .requests }} requests, above {{ .threshold }}, {{ .link }}" } }
`;
const good = traffic(100);
const bad = traffic(100, { failed: 50 });

async function simulation(yaml = FAILING, ...services: string[]): Promise<Simulation> {
  const one = await new Simulation().start(yaml);
  one.setTargets(...(services.length > 0 ? services : ['shop', 'cart']));
  return one;
}

test('an alert is pending, fires, and ends, each service by itself', async () => {
  const one = await simulation();
  await one.run(2 * MINUTE, { shop: good, cart: good });
  expect(one.told).toEqual([]);
  await one.run(2 * MINUTE, { shop: bad, cart: good });
  await one.run(3 * MINUTE, { shop: good, cart: good });
  // 20 s of 50 % failures in a minute are 16.7 %; three good rounds of six leave 10 % at the end, which is not above.
  expect(one.told).toEqual(['140 Failing shop pending', '170 Failing shop firing', '310 Failing shop resolved']);
  expect(one.alert('Failing')).toMatchObject({
    labels: { alertname: 'Failing', service: 'shop', severity: 'page' },
    annotations: { summary: 'shop: 41.7 % of 600 requests, above 10 %, https://mesh.example/services/shop' },
    firedAt: START + 170_000,
    state: { phase: 'resolved' },
  });
  await one.run(61 * MINUTE, { shop: good });
  expect([one.engine.alerts(), await one.store.loadAlerts()]).toEqual([[], []]);
});

test('thin traffic is quiet, and says so', async () => {
  const one = await simulation();
  await one.run(5 * MINUTE, { shop: traffic(5, { failed: 5 }) });
  expect(one.told).toEqual([]);
  const [rule] = one.engine.rules();
  expect(rule?.alerts.map(({ alert }) => [alert.labels.service, alert.state.data])).toEqual([
    ['shop', 'too_little_data'],
  ]);
});

test('a gap in scraping is no event; the alert goes on after it', async () => {
  const one = await simulation();
  await one.run(2 * MINUTE, { shop: bad });
  const before = one.told.length;
  await one.run(5 * MINUTE, { shop: 'timeout' });
  expect(one.told.slice(before)).toEqual([]);
  expect(one.alert('Failing')?.state).toMatchObject({ phase: 'firing', data: 'no_data' });
  await one.run(2 * MINUTE, { shop: good });
  expect(one.told.at(-1)).toMatch(/shop resolved$/);
});

test('the alert of a service that is gone for good ends after an hour', async () => {
  const one = await simulation();
  await one.run(2 * MINUTE, { shop: bad });
  one.setTargets('cart');
  await one.run(62 * MINUTE, { cart: good });
  expect(one.alert('Failing')?.state.phase).toBe('resolved');
  expect(one.told.filter((line) => line.endsWith('resolved'))).toHaveLength(1);
});

test('a restart of the collector changes nothing: neither while an alert is pending nor while it fires', async () => {
  const options = storeOptions(join(temporaryFolder(), 'sidelight.db'));
  const store = await SqliteStore.open(options);
  onTestFinished(() => store.close());
  const one = await new Simulation(store).start(FAILING);
  one.setTargets('shop');
  await one.run(20_000, { shop: bad });
  await one.restart(FAILING);
  await one.run(MINUTE, { shop: bad });
  const firedAt = one.alert('Failing')?.firedAt;
  await one.restart(FAILING);
  expect(one.alert('Failing')).toMatchObject({ firedAt, state: { phase: 'firing' } });
  await one.run(MINUTE, { shop: bad });
  expect(one.told).toEqual(['10 Failing shop pending', '40 Failing shop firing']);
  expect((await store.alertEvents({ after: 0, most: 9 })).map(({ phase }) => phase)).toEqual(['pending', 'firing']);
});

test('at a reload alerts of rules that stay go on, those of rules that are gone or tell services apart otherwise end', async () => {
  const two = `${FAILING}    - { name: Busy, signal: request_rate, above: 1/s, window: 1m }\n`;
  const one = await simulation(two);
  await one.run(2 * MINUTE, { shop: bad });
  const told = one.told.length;
  await one.reload(two.replace('above: 10%', 'above: 20%'));
  await one.run(MINUTE, { shop: bad });
  expect(one.told.slice(told)).toEqual([]);
  await one.reload(FAILING);
  expect(one.told.slice(told)).toEqual(['180 Busy shop resolved']);
  expect(one.engine.alerts().map(({ rule, state }) => [rule, state.phase])).toEqual([
    ['Failing', 'firing'],
    ['Busy', 'resolved'],
  ]);
  await one.restart(FAILING.replace('signal:', 'by: [service, instance], signal:'));
  expect(one.told.at(-1)).toBe('180 Failing shop resolved');
});

/** A fake fault: queries of a real store fail while it is switched on. */
class FailingStore extends MemoryStore {
  fails = false;
  override async sums(query: Parameters<MemoryStore['sums']>[0]): ReturnType<MemoryStore['sums']> {
    if (this.fails) throw new QueryStoppedError('the query took too long');
    return super.sums(query);
  }
}

test('an evaluation that can not be worked out neither fires nor ends anything', async () => {
  const store = new FailingStore(storeOptions(MEMORY_PATH));
  const one = await new Simulation(store).start(FAILING.replace('window: 1m', 'window: 6m'));
  one.setTargets('shop');
  await one.run(2 * MINUTE, { shop: bad });
  store.fails = true;
  const told = one.told.length;
  await one.run(3 * MINUTE, { shop: good });
  expect(one.told.slice(told)).toEqual([]);
  expect(one.alert('Failing')?.state).toMatchObject({ phase: 'firing', data: 'ok' });
  expect(one.engine.rules()[0]?.last).toEqual({ at: START + 2 * MINUTE, error: 'the query took too long' });
  expect(new Set(one.problems)).toEqual(new Set(['the query took too long']));
});

test('rules on counts, on shares and on latencies of one window share a query', async () => {
  /** A real store that counts. */
  class CountingStore extends MemoryStore {
    queries = 0;
    override async sums(query: Parameters<MemoryStore['sums']>[0]): ReturnType<MemoryStore['sums']> {
      this.queries++;
      return super.sums(query);
    }
  }
  const queriesOf = async (...rules: readonly string[]) => {
    const store = new CountingStore(storeOptions(MEMORY_PATH));
    const lines = rules.map((rule, index) => `    - { name: R${index}, window: 6m, ${rule} }\n`);
    const one = await new Simulation(store).start(`  rules:\n${lines.join('')}`);
    one.setTargets('shop');
    await one.run(10_000, { shop: bad });
    expect(one.engine.rules().map(({ alerts }) => alerts[0]?.alert.state.phase)).toEqual(rules.map(() => 'firing'));
    return store.queries;
  };
  const [counts, failed] = ['signal: requests, above: 1', 'signal: error_rate, above: 10%'];
  const slow = 'signal: latency_p99, above: 1ms';
  const alone = await queriesOf(slow);
  expect(alone).toBeGreaterThan(0);
  expect(await queriesOf(slow, counts, failed)).toBe(alone);
  expect(await queriesOf(counts, failed, slow)).toBe(alone);
});

test('rules about the newest minutes go on while the store answers nothing', async () => {
  const store = new FailingStore(storeOptions(MEMORY_PATH));
  const one = await new Simulation(store).start(FAILING);
  one.setTargets('shop');
  await one.run(2 * MINUTE, { shop: bad });
  store.fails = true;
  await one.run(3 * MINUTE, { shop: good });
  expect(one.told).toEqual(['10 Failing shop pending', '40 Failing shop firing', '190 Failing shop resolved']);
  expect(one.problems).toEqual([]);
});

test('what can not be kept is told once all the same, and kept as soon as it can be', async () => {
  /** A fake fault: nothing can be kept while it is switched on. */
  class FullStore extends MemoryStore {
    full = true;
    override async saveAlerts(change: Parameters<MemoryStore['saveAlerts']>[0]): Promise<void> {
      if (this.full) throw new Error('the disk is full');
      await super.saveAlerts(change);
    }
  }
  const store = new FullStore(storeOptions(MEMORY_PATH));
  const one = await new Simulation(store).start(FAILING);
  one.setTargets('shop');
  await one.run(2 * MINUTE, { shop: bad });
  expect(one.told).toEqual(['10 Failing shop pending', '40 Failing shop firing']);
  store.full = false;
  await one.run(10_000, { shop: bad });
  expect((await store.loadAlerts()).map(({ state }) => state.phase)).toEqual(['firing']);
  expect((await store.alertEvents({ after: 0, most: 9 })).map(({ phase }) => phase)).toEqual(['pending', 'firing']);
  expect(one.told).toHaveLength(2);
});

test('match picks services by patterns for whole values', async () => {
  const one = await simulation(FAILING.replace('window:', 'match: { service: "car.*|hop" }, window:'));
  await one.run(2 * MINUTE, { shop: bad, cart: bad });
  expect(one.told.map((line) => line.split(' ')[2])).toEqual(['cart', 'cart']);
});

test('percentiles and means of one query come to the rules that asked for them', async () => {
  const one = await simulation(`
  rules:
    - { name: P50, signal: latency_p50, above: 1s, window: 1m }
    - { name: P99, signal: latency_p99, above: 1s, window: 1m }
    - { name: Mean, signal: latency_mean, above: 1s, window: 1m }
    - { name: Low, signal: latency_p99, below: 10s, window: 1m }
`);
  const slow = [{ counters: { '2xx': 100 }, latency: { 20: 90, 5000: 10 } }];
  await one.run(MINUTE, { shop: slow });
  const values = one.engine.rules().map(({ rule, alerts }) => [rule.name, alerts[0]?.alert.state.phase]);
  expect(values).toEqual([
    ['P50', 'inactive'],
    ['P99', 'firing'],
    ['Mean', 'inactive'],
    ['Low', 'firing'],
  ]);
});

test('a comparison fires above a multiple of then, and only above its floor', async () => {
  const one = await simulation(`
  rules:
    - { name: Slower, signal: latency_p99, against: 10m, factor: 3, floor: 500ms, window: 1m }
    - { name: Fewer, signal: request_rate, against: 10m, factor: 0.5, window: 1m }
`);
  await one.run(10 * MINUTE, { shop: traffic(100, { latencyMs: 100 }) });
  await one.run(2 * MINUTE, { shop: traffic(100, { latencyMs: 400 }) });
  expect(one.told).toEqual([]);
  await one.run(MINUTE, { shop: traffic(100, { latencyMs: 600 }) });
  expect(one.told.map((line) => line.split(' ').slice(1).join(' '))).toEqual(['Slower shop firing']);
  await one.run(2 * MINUTE, { shop: traffic(20, { latencyMs: 100 }) });
  expect(one.told.map((line) => line.split(' ').slice(1).join(' '))).toContain('Fewer shop firing');
});

test('an objective fires while its budget burns in both windows, and tells what is left of it', async () => {
  const one = await simulation(`
  rules:
    - { name: Budget, slo: { objective: 99%, good: success, period: 1d } }
`);
  await one.run(10 * MINUTE, { shop: good, cart: traffic(0) });
  expect(one.told).toEqual([]);
  await one.run(5 * MINUTE, { shop: bad, cart: traffic(0) });
  expect(one.told.map((line) => line.split(' ').slice(1).join(' '))).toEqual(['Budget shop firing']);
  const [rule] = one.engine.rules();
  const left = rule?.alerts.map(({ alert, budgetLeft }) => [alert.labels.service, budgetLeft, alert.state.data]);
  // The budget of a day is looked at every five minutes, last with 50 failures of 6100 requests.
  expect(left).toEqual([
    ['shop', expect.closeTo(1 - 50 / 6100 / 0.01, 10), 'ok'],
    ['cart', null, 'too_little_data'],
  ]);
});

test('the built-in rules: failing, a sidecar that is down, a service that is silent', async () => {
  const one = await simulation('  defaults: true');
  await one.run(5 * MINUTE, { shop: good, cart: good });
  await one.run(12 * MINUTE, { shop: bad, cart: 'nothing listens there' });
  const fired = one.told.filter((line) => line.endsWith('firing')).map((line) => line.split(' ').slice(1, 3).join(' '));
  expect(fired.sort()).toEqual(['ServiceFailing shop', 'ServiceSilent cart', 'SidecarDown cart-1']);
  expect(one.alert('SidecarDown')?.labels).toEqual({
    alertname: 'SidecarDown',
    service: 'cart',
    instance: 'cart-1',
    severity: 'ticket',
  });
  one.setTargets('shop');
  await one.run(6 * MINUTE, { shop: bad });
  const ended = one.told.filter((line) => line.endsWith('resolved')).map((line) => line.split(' ')[1]);
  expect(ended.sort()).toEqual(['ServiceSilent', 'SidecarDown']);
});

test('built-in rules are on while there are no others, and one of the same name takes their place', async () => {
  const names = async (yaml: string) => (await simulation(yaml)).engine.rules().map(({ rule }) => rule.name);
  expect(await names('  defaults: true')).toHaveLength(4);
  expect(await names('  defaults: false')).toEqual([]);
  expect(await names(FAILING)).toEqual(['Failing']);
  const replaced = await names(FAILING.replace('rules:', 'defaults: true\n  rules:').replace('Failing', 'SidecarDown'));
  expect(replaced).toEqual(['SidecarDown', 'ServiceFailing', 'ServiceSlow', 'ServiceSilent']);
});
