/** `npm run bench -- discovery`: how long relabelling takes, and a reload of many targets. */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadConfig } from '../../server/config/load.ts';
import { Discovery } from '../../server/discovery/discovery.ts';
import { compileRelabel } from '../../server/discovery/relabel.ts';
import { Live } from '../../server/live/live.ts';
import type { Labels } from '../../server/model/labels.ts';
import { ScrapeManager } from '../../server/scrape/scrape-manager.ts';
import { median } from './measure.ts';

const TARGETS = 10_000;
const RELABELLED = 200_000;
const GOALS = { relabelMs: 1000, reloadMs: 1000 };
const ROUNDS = 5;

/** What is common in Kubernetes; the address is another one for every target, so its pattern is worked out each time. */
const RULES = [
  { action: 'keep', source_labels: ['__meta_kubernetes_pod_container_name'], regex: 'envoy|istio-proxy' },
  {
    source_labels: ['__address__', '__meta_kubernetes_pod_annotation_port'],
    regex: '([^:]+)(?::\\d+)?;(\\d+)',
    replacement: '$1:$2',
    target_label: '__address__',
  },
  { source_labels: ['__meta_kubernetes_pod_label_app'], target_label: 'service' },
  { action: 'drop', source_labels: ['__meta_kubernetes_namespace'], regex: 'kube-.*' },
  { source_labels: ['__meta_kubernetes_namespace', 'service'], separator: '/', target_label: 'team' },
];

/** False when a goal was missed. */
export async function discoveryBenchmark(): Promise<boolean> {
  const results = [
    { what: `relabelling ${RELABELLED} targets by ${RULES.length} rules`, ms: relabelling(), goal: GOALS.relabelMs },
    { what: `a reload of ${TARGETS} static targets`, ms: await reloading(), goal: GOALS.reloadMs },
  ];
  for (const { what, ms, goal } of results) {
    console.log(
      `${what.padEnd(48)} ${ms.toFixed(0).padStart(6)} ms   goal ${goal} ms   ${ms <= goal ? 'met' : 'MISSED'}`,
    );
  }
  console.log(`CPU time of all threads, garbage collection included; median of ${ROUNDS} runs after one more`);
  return results.every(({ ms, goal }) => ms <= goal);
}

function relabelling(): number {
  const loaded = loadedFrom(JSON.stringify({ discovery: { relabel: RULES } }));
  const relabel = compileRelabel(loaded.discovery.relabel);
  const labels = Array.from({ length: RELABELLED }, (_, index) => podLabels(index));
  return timed(() => {
    let kept = 0;
    for (const before of labels) if ('labels' in relabel(before)) kept++;
    if (kept !== RELABELLED) throw new Error(`${kept} of ${RELABELLED} were kept`);
  });
}

function podLabels(index: number): Labels {
  return {
    __address__: `10.${index >> 16}.${(index >> 8) & 255}.${index & 255}:9901`,
    __meta_kubernetes_namespace: `team-${index % 40}`,
    __meta_kubernetes_pod_name: `service-${index % 1000}-${index}`,
    __meta_kubernetes_pod_container_name: 'istio-proxy',
    __meta_kubernetes_pod_annotation_port: '15000',
    __meta_kubernetes_pod_label_app: `service-${index % 1000}`,
    __meta_kubernetes_pod_node_name: `node-${index % 200}`,
  };
}

/** From the file's text to scraping another set, with one target in ten another one each time. */
async function reloading(): Promise<number> {
  const live = new Live();
  const scrapes = new ScrapeManager({
    intervalMs: 3_600_000,
    timeoutMs: 1000,
    bodyLimitBytes: 1,
    zonesEvery: 0,
    clustersEvery: 0,
    seriesLimit: 20_000,
    wantsClusters: () => false,
    onSkipped: () => {},
    slowDown: false,
    concurrency: 1,
    now: Date.now,
    random: Math.random,
    onResult: () => {},
  });
  const discovery = new Discovery({
    surroundings: { now: Date.now, random: Math.random },
    onTargets(targets) {
      live.setTargets(targets);
      scrapes.apply(targets);
    },
  });
  let round = 0;
  const texts = Array.from({ length: ROUNDS + 1 }, (_, index) => staticYaml(index));
  const ms = timed(() => {
    discovery.apply(loadedFrom(texts[round++] ?? ''));
    if (live.size !== TARGETS) throw new Error(`${live.size} targets`);
  });
  await discovery.stop();
  await scrapes.stop();
  return ms;
}

function staticYaml(round: number): string {
  const groups = Array.from({ length: 1000 }, (_, service) => {
    const targets = Array.from({ length: TARGETS / 1000 }, (_, index) => {
      const third = index === 0 ? round : 100;
      return `"127.${third}.${service >> 8}.${service & 255}:${9901 + index}"`;
    });
    return `    - targets: [${targets.join(', ')}]\n      labels: { service: service-${service}, region: eu-${service % 3} }\n`;
  });
  return `discovery:\n  static:\n${groups.join('')}`;
}

function loadedFrom(text: string) {
  const folder = mkdtempSync(join(tmpdir(), 'sidelight-bench-'));
  try {
    const file = join(folder, 'sidelight.yaml');
    writeFileSync(file, text);
    const loaded = loadConfig(file);
    if ('errors' in loaded) throw new Error(loaded.errors[0]);
    return loaded.config;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function timed(run: () => void): number {
  const times = Array.from({ length: ROUNDS + 1 }, () => {
    const before = process.cpuUsage();
    run();
    const { user, system } = process.cpuUsage(before);
    return (user + system) / 1000;
  });
  return median(times.slice(1));
}
