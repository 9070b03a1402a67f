/** All entries together: the set of targets, and what is told of it. */

import { expect, onTestFinished, test } from 'vitest';
import type { Config } from '../../server/config/config.ts';
import { parseConfig } from '../../server/config/load.ts';
import type { Discoverer, DiscoverySink } from '../../server/discovery/discoverer.ts';
import { Discovery } from '../../server/discovery/discovery.ts';
import { MECHANISMS } from '../../server/discovery/mechanisms.ts';
import type { Target } from '../../server/model/discovered-target.ts';
import { eventually } from '../scrape/eventually.ts';

function configOf(yaml: string): Config {
  const loaded = parseConfig(yaml, 'conf.yaml');
  if ('errors' in loaded) throw new Error(loaded.errors.join('\n'));
  return loaded.config;
}

/** Discovery whose http mechanism is a fake one that the test tells what to find. */
function running(yaml: string) {
  const sets: (readonly Target[])[] = [];
  const health: string[] = [];
  const conflicts: string[] = [];
  const fakes: { sink: DiscoverySink; url: string; stopped: boolean }[] = [];
  const discovery = new Discovery({
    surroundings: { now: Date.now, random: () => 0.5 },
    onTargets: (targets) => sets.push(targets),
    onHealth: (entry, error) => health.push(`${entry}: ${error}`),
    onConflicts: (lines) => conflicts.push(...lines),
    mechanisms: {
      ...MECHANISMS,
      http: ({ url }): Discoverer => {
        const fake = { sink: { update: () => {}, health: () => {} } as DiscoverySink, url, stopped: false };
        fakes.push(fake);
        return {
          start: (sink) => {
            fake.sink = sink;
          },
          stop: async () => {
            fake.stopped = true;
          },
        };
      },
    },
  });
  onTestFinished(() => discovery.stop());
  discovery.apply(configOf(yaml));
  const find = (addresses: readonly string[], fake = fakes.at(-1)) =>
    fake?.sink.update([{ source: 'a', targets: addresses.map((address) => ({ address, labels: {} })) }]);
  return { discovery, sets, health, conflicts, fakes, find, keys: () => sets.at(-1)?.map(({ key }) => key) ?? [] };
}

const STATIC = 'discovery: { static: [{ targets: ["a:1", "b:1"], labels: { service: x } }] }';
const HTTP = (more = '') => `discovery: { http: [{ url: "http://sd/" ${more} }] }`;

test('what the configuration lists is there at once', () => {
  const { sets } = running(STATIC);
  expect(sets).toHaveLength(1);
  expect(sets[0]?.[0]).toEqual({
    key: 'a:1',
    address: { scheme: 'http', host: 'a', port: 1, path: '' },
    labels: { service: 'x' },
    discoveredLabels: { service: 'x', __address__: 'a:1' },
  });
});

test('a target found twice is one; labels in conflict are told, once', async () => {
  const { sets, find, discovery, conflicts } = running(
    'discovery: { static: [{ targets: ["a:1"], labels: { service: x } }], http: [{ url: "http://sd/" }] }',
  );
  find(['http://A:1', 'c:1']);
  await eventually(() => sets.length).toBe(2);
  expect(sets[1]?.map(({ key, labels }) => [key, labels.service])).toEqual([
    ['a:1', 'x'],
    ['c:1', undefined],
  ]);
  expect(discovery.note('a:1')).toBe(
    'found by discovery.static[0] and by discovery.http[0], with other labels (service: "x" and absent); those found first count',
  );
  expect(discovery.note('c:1')).toBe('');
  find(['http://A:1', 'd:1']);
  await eventually(() => sets.length).toBe(3);
  expect(conflicts).toEqual([`a:1: ${discovery.note('a:1')}`]);
});

test('what Prometheus would do otherwise by a label is told of the target', async () => {
  const rule = (label: string, value: string) => `{ target_label: ${label}, replacement: ${value} }`;
  const rules = [rule('__metrics_path__', '/stats/prometheus'), rule('__scrape_interval__', '5s')];
  const { discovery } = running(`${STATIC.slice(0, -2)}, relabel: [${rules.join(', ')}] }`);
  expect(discovery.note('a:1')).toBe(
    `__metrics_path__ ("/stats/prometheus") has no effect: Envoy's admin port is asked at paths of its own; __scrape_interval__ ("5s") has no effect: scrape.interval counts for all targets`,
  );
  discovery.apply(configOf(STATIC));
  expect(discovery.note('a:1')).toBe('');
});

test('targets that are as they were are the same objects, and an update that changes nothing is not told', async () => {
  const { sets, find } = running(HTTP());
  find(['a:1', 'b:1']);
  await eventually(() => sets.length).toBe(1);
  find(['a:1', 'b:1']);
  find(['a:1', 'b:1', 'c:1']);
  await eventually(() => sets.length).toBe(2);
  expect(sets[1]?.[0]).toBe(sets[0]?.[0]);
});

test('rules of the entry come before those of all, and what they drop is told', async () => {
  const own = `, relabel_configs: [{ target_label: tmp, replacement: own }, { action: drop, source_labels: [__address__], regex: "b:.*" }]`;
  const { sets, find, discovery } = running(
    `discovery: { http: [{ url: "http://sd/" ${own} }], relabel: [{ source_labels: [tmp], target_label: service }, { action: labeldrop, regex: tmp }, { action: keep, source_labels: [__address__], regex: "[^c].*" }] }`,
  );
  find(['a:1', 'b:1', 'c:1', 'not an address', 'd']);
  await eventually(() => sets.length).toBe(1);
  expect(sets[0]?.map(({ key, labels }) => [key, labels])).toEqual([['a:1', { service: 'own' }]]);
  expect(discovery.dropped()).toEqual({
    total: 4,
    list: [
      {
        discoveredLabels: { __address__: 'b:1' },
        reason:
          'dropped by discovery.http[0].relabel_configs[1] (action: drop, source_labels: [__address__], regex: b:.*)',
      },
      {
        discoveredLabels: { __address__: 'c:1' },
        reason: 'dropped by discovery.relabel[2] (action: keep, source_labels: [__address__], regex: [^c].*)',
      },
      { discoveredLabels: { __address__: 'not an address' }, reason: expect.stringContaining('has white space in it') },
      { discoveredLabels: { __address__: 'd' }, reason: expect.stringContaining('has no port') },
    ],
  });
});

test('scheme, place and labels that are too long', async () => {
  const { sets, fakes, discovery } = running(HTTP());
  const endpoint = (address: string, labels: Record<string, string>) => ({ address, labels });
  const long = 'x'.repeat(1025);
  const targets = [
    endpoint('a:1', { __scheme__: 'https', __region__: 'eu', __zone__: 'eu-1' }),
    endpoint('b:1', { long }),
    endpoint('c:1', { role: 'edge' }),
    endpoint('d:1', Object.fromEntries(Array.from({ length: 65 }, (_, index) => [`l${index}`, 'x']))),
  ];
  fakes[0]?.sink.update([{ source: 'a', targets, excluded: [{ labels: { pod: 'p' }, reason: 'it has no Envoy' }] }]);
  await eventually(() => sets.length).toBe(1);
  expect(sets[0]).toMatchObject([{ key: 'https://a:1', labels: {}, fallbackPlace: { region: 'eu', zone: 'eu-1' } }]);
  expect(discovery.dropped().list.map(({ reason }) => reason)).toEqual([
    'the label long has 1025 characters; at most 1024 are taken',
    'the label role is "edge"; it is one of sidecar, gateway',
    'more than 64 labels after relabelling: drop some with labeldrop',
    'it has no Envoy',
  ]);
});

test('more targets than the limit are refused as a whole, and the set before stays', async () => {
  const { sets, health, find, discovery, keys } = running(
    'discovery: { http: [{ url: "http://sd/" }], targets_limit: 2 }',
  );
  find(['a:1', 'b:1']);
  await eventually(() => sets.length).toBe(1);
  find(['a:1', 'b:1', 'c:1']);
  await eventually(() => health.at(-1)).toContain('discovery.targets_limit: 3 targets were found, more than');
  expect(keys()).toEqual(['a:1', 'b:1']);
  expect(discovery.states().at(-1)).toMatchObject({
    name: 'discovery.targets_limit',
    error: expect.stringContaining('(2)'),
  });
  find(['c:1']);
  await eventually(() => keys()).toEqual(['c:1']);
  expect(health.at(-1)).toBe('discovery.targets_limit: ');
});

test('most of what is dropped is counted only', async () => {
  const { find, discovery, sets } = running(
    'discovery: { http: [{ url: "http://sd/" }], relabel: [{ action: keep, source_labels: [x], regex: y }], static: [{ targets: ["a:1"], labels: { x: y } }] }',
  );
  find(Array.from({ length: 1500 }, (_, index) => `b:${index + 1}`));
  await eventually(() => discovery.dropped().total).toBe(1500);
  expect(discovery.dropped().list).toHaveLength(1000);
  expect(sets).toHaveLength(1);
});

test('a reload leaves entries that are as they were alone, and relabels what they found', async () => {
  const { sets, fakes, find, discovery } = running(HTTP());
  find(['a:1', 'b:1']);
  await eventually(() => sets.length).toBe(1);
  discovery.apply(
    configOf(`discovery: { http: [{ url: "http://sd/" }], relabel: [{ target_label: region, replacement: eu }] }`),
  );
  expect(fakes).toMatchObject([{ stopped: false }]);
  expect(sets[1]?.map(({ labels }) => labels)).toEqual([{ region: 'eu' }, { region: 'eu' }]);
  discovery.apply(configOf(HTTP(', tls: { insecure_skip_verify: true }')));
  expect(fakes).toMatchObject([{ stopped: false }]);
  expect(sets[2]?.map(({ key, reach }) => [key, reach?.tls?.insecureSkipVerify])).toEqual([
    ['https://a:1', true],
    ['https://b:1', true],
  ]);
});

test('what a changed entry had found stays until it has answered anew; one that is gone takes its targets along', async () => {
  const { sets, fakes, find, discovery, keys } = running(HTTP());
  find(['a:1']);
  await eventually(() => sets.length).toBe(1);
  discovery.apply(configOf('discovery: { http: [{ url: "http://other/" }] }'));
  expect(fakes).toMatchObject([{ stopped: true }, { url: 'http://other/', stopped: false }]);
  expect(sets).toHaveLength(1);
  find(['b:1']);
  await eventually(() => keys()).toEqual(['b:1']);
  discovery.apply(configOf('discovery: { http: [] }'));
  expect(keys()).toEqual([]);
});

test('secrets are in no key', () => {
  const { sets } = running(`scrape: { auth: { username: a, password: hunter2 } }\n${STATIC}`);
  const reach = sets[0]?.[0]?.reach;
  expect(reach?.auth?.password).toBe('hunter2');
  expect(reach?.key).toMatch(/^[0-9a-f]{64}$/);
});
