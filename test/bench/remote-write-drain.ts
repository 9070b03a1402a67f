/** A queue that is drained, and what that does to the scraping beside it. */

import { setTimeout as delay } from 'node:timers/promises';
import { parseConfig } from '../../server/config/load.ts';
import type { RemoteWriteConfig } from '../../server/config/remote-write-config.ts';
import type { Figures } from '../../server/exporter/remote-write/messages.ts';
import { RemoteWriter, type RoundForm } from '../../server/exporter/remote-write/remote-writer.ts';
import type { Live } from '../../server/live/live.ts';
import { cpuMs } from './measure.ts';
import { type Beside, ScrapingBeside, type Spread } from './scraping-beside.ts';

const ALONE_MS = 20_000;
const MOST_CORES = 0.6;
/** One scrape in a hundred, in an interval of ten seconds; or what it is without a drain, on a machine that is busy anyway. */
const MOST_LATE_MS = 100;

export interface DrainInput {
  readonly live: Live;
  readonly folder: string;
  readonly form: RoundForm;
  readonly url: string;
  readonly isNative: boolean;
}

/** @returns whether it took no more of the machine than it may, and no scrape came late. */
export async function drain({ live, folder, form, url, isNative }: DrainInput): Promise<boolean> {
  const config = configOf(url, isNative);
  const beside = new ScrapingBeside({ sidecars: live.all().length, live, form });
  await beside.start();
  const quietly = besideMainThread();
  await delay(ALONE_MS);
  const coresAlone = quietly() / ALONE_MS;
  const alone = beside.take();

  const empty = Promise.withResolvers<Figures>();
  let most = 0;
  const events = {
    figures(figures: Figures) {
      most = Math.max(most, figures.pending);
      if (most > 0 && figures.pending === 0) empty.resolve(figures);
    },
    refused: (reason: string) => empty.reject(new Error(reason)),
    roundFailed: (reason: string) => empty.reject(new Error(reason)),
    roundTaken() {},
  };
  const memoryBefore = process.memoryUsage.rss();
  let mostMemory = memoryBefore;
  const looks = setInterval(() => {
    mostMemory = Math.max(mostMemory, process.memoryUsage.rss());
  }, 100);
  const working = besideMainThread();
  const writer = new RemoteWriter({
    config,
    folder,
    userAgent: 'bench',
    metadata: [],
    form,
    now: Date.now,
    events,
  });
  const { sent, requests } = await empty.promise;
  const draining = beside.take();
  const cores = working() / 1000 / draining.seconds - coresAlone;
  clearInterval(looks);
  await writer.stop(0);
  await beside.stop();
  console.log(
    `drained ${sent} samples in ${requests.taken} requests within ${draining.seconds.toFixed(1)} s: ${Math.round(sent / draining.seconds)} per second, ${(cores * 100).toFixed(0)} % of a processor, ${((cores * draining.seconds * 1e6) / sent).toFixed(2)} µs of CPU per sample, ${((mostMemory - memoryBefore) / 1024 ** 2).toFixed(0)} MiB of memory more`,
  );
  console.log('scraping and rendering beside it, in milliseconds of the clock, the load of the machine included:');
  for (const [name, one] of [
    ['alone', alone],
    ['beside the drain', draining],
  ] as const)
    console.log(`  ${name.padEnd(17)} ${told(one)}`);
  return (
    cores <= MOST_CORES &&
    draining.failed === 0 &&
    draining.scrapeLateMs.p99 <= Math.max(MOST_LATE_MS, alone.scrapeLateMs.p99)
  );
}

/** Milliseconds of CPU of all threads but the main one, from now on. */
function besideMainThread(): () => number {
  const [all, main] = [process.cpuUsage(), process.threadCpuUsage()];
  return () => cpuMs(all) - cpuMs(main, process.threadCpuUsage());
}

function told({ scrapes, failed, scrapeLateMs, renderMs, loopDelayMs }: Beside): string {
  const spread = ({ p50, p99, most }: Spread) => `${p50.toFixed(1)} / ${p99.toFixed(1)} / ${most.toFixed(1)}`;
  return `${scrapes} scrapes, ${failed} failed, late (p50 / p99 / most) ${spread(scrapeLateMs)}; event loop ${spread(loopDelayMs)}; renders ${spread(renderMs)}`;
}

function configOf(url: string, isNative: boolean): RemoteWriteConfig {
  const entry = `{ url: "${url}", send_native_histograms: ${isNative}, queue: { max_size: 100GiB } }`;
  const parsed = parseConfig(`remote_write: [${entry}]`, 'bench');
  const config = 'config' in parsed ? parsed.config.remoteWrite[0] : undefined;
  if (!config) throw new Error(JSON.stringify(parsed));
  return config;
}
