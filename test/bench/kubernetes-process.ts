/** Follows the pods of a kubeconfig's cluster, and tells what that took of this process. */

import { readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { ENVOY_CONTAINERS } from '../../server/config/kubernetes-fields.ts';
import type { DiscoverySink, TargetGroup } from '../../server/discovery/discoverer.ts';
import { createKubernetesDiscoverer } from '../../server/discovery/kubernetes.ts';

export interface Followed {
  readonly listMs: number;
  readonly cpuMs: number;
  readonly listBlockedMs: number;
  /** Peak of the resident set, above what it was before. */
  readonly memoryMiB: number;
  readonly blockedMs: number;
  readonly changeCpuMs: number;
}

const NO_FIGURES: Followed = {
  listMs: 0,
  cpuMs: 0,
  listBlockedMs: 0,
  memoryMiB: 0,
  blockedMs: 0,
  changeCpuMs: 0,
};

const MIB = 2 ** 20;
function threadMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
}

const cpuMs = () => process.cpuUsage().user / 1000 + process.cpuUsage().system / 1000;
const peakMiB = () => Number(/VmHWM:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]) / 1024;
/** The most CPU that the thread used between two turns of a timer of 1 ms. */
const blocked = { max: 0, last: threadMs() };
setInterval(() => {
  const now = threadMs();
  blocked.max = Math.max(blocked.max, now - blocked.last);
  blocked.last = now;
}, 1).unref();

const emptyMiB = process.memoryUsage.rss() / MIB;
const [kubeconfig = ''] = process.argv.slice(2);
const [start, startCpu] = [performance.now(), cpuMs()];

/** Keeps the groups, as discovery does. */
const groups = new Map<string, TargetGroup>();
let updates = 0;
const sink: DiscoverySink = {
  update(changed) {
    updates++;
    for (const group of changed) groups.set(group.source, group);
  },
  health: () => {},
};
const discoverer = createKubernetesDiscoverer(
  { kubeconfig, namespaces: [], selector: '', container: ENVOY_CONTAINERS, access: 'direct', relabel: [] },
  { now: Date.now, random: Math.random },
);
blocked.max = 0;
blocked.last = threadMs();
discoverer.start(sink);
while (updates === 0) await pause(1);
const listed = { listMs: performance.now() - start, cpuMs: cpuMs() - startCpu, listBlockedMs: blocked.max };
process.send?.(NO_FIGURES);
await pause(1000);

blocked.max = 0;
const before = cpuMs();
process.once('message', async ({ changes }: { changes: number }) => {
  while (updates < changes) await pause(10);
  const figures: Followed = {
    ...listed,
    memoryMiB: peakMiB() - emptyMiB,
    blockedMs: blocked.max,
    changeCpuMs: (cpuMs() - before) / changes,
  };
  await discoverer.stop();
  process.send?.(figures);
  process.disconnect();
});
