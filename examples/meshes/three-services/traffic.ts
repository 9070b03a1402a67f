import type { Running } from '../../../server/demo/mesh.ts';
import { keepAliveAgent } from '../http-client.ts';
import { lognormal, type Random, seededRandom } from '../random.ts';
import { sendSteadily } from '../steady.ts';
import { type PlannedCall, type PlannedRequest, requestPath } from './instructions.ts';
import type { Ledger } from './ledger.ts';
import { sendOne } from './send.ts';

/** Where requests enter: the listener of front-proxy.yaml. */
export const frontPort = 18000;

interface Kind {
  name: string;
  perSecond: number;
  plan: (random: Random) => PlannedRequest;
}

const toB = (random: Random, call: Partial<PlannedCall> = {}): PlannedCall => ({
  service: 'service_b',
  delayMs: lognormal(random, { medianMs: 8, spread: 0.6 }),
  ...call,
});

const toC = (random: Random, call: Partial<PlannedCall> = {}): PlannedCall => ({
  service: 'service_c',
  delayMs: Math.min(120, lognormal(random, { medianMs: 20, spread: 0.7 })), // well below the timeout of C's sidecar
  ...call,
});

const ownDelay = (random: Random) => lognormal(random, { medianMs: 3, spread: 0.5 });

/** About 20 requests per second in all. A call that fails makes A answer 502, unless A can do without its answer. */
export const kinds: readonly Kind[] = [
  { name: 'read', perSecond: 9, plan: (random) => ({ delayMs: ownDelay(random), calls: [toB(random)] }) },
  { name: 'order', perSecond: 5, plan: (random) => ({ delayMs: ownDelay(random), calls: [toB(random), toC(random)] }) },
  { name: 'search', perSecond: 4, plan: (random) => ({ calls: [toC(random)] }) },
  { name: 'not found by A', perSecond: 0.8, plan: () => ({ status: 404 }) },
  {
    name: 'not found by B',
    perSecond: 0.5,
    plan: (random) => ({ status: 404, calls: [toB(random, { status: 404 })] }),
  },
  { name: 'B fails', perSecond: 0.4, plan: (random) => ({ status: 200, calls: [toB(random, { status: 500 })] }) },
  { name: 'retry helps', perSecond: 0.3, plan: (random) => ({ calls: [toB(random, { retry: 'recovers' })] }) },
  { name: 'retry fails', perSecond: 0.05, plan: (random) => ({ calls: [toB(random, { retry: 'exhausted' })] }) },
  { name: 'C fails', perSecond: 0.03, plan: (random) => ({ calls: [toC(random, { status: 503 })] }) },
  {
    name: 'C is too slow',
    perSecond: 0.05,
    plan: (random) => ({ status: 200, calls: [toC(random, { delayMs: 600 })] }),
  },
];

export interface TrafficOptions {
  portOffset: number;
  /** The same seed gives the same requests and pauses. Default 1. */
  seed?: number;
  /** Takes what came back; it grows with every request. */
  ledger?: Ledger;
}

/** Every kind at its own rate. `stop()` resolves when the last request is answered. */
export async function startTraffic({ portOffset, seed = 1, ledger }: TrafficOptions): Promise<Running> {
  const agent = keepAliveAgent();
  const baseUrl = `http://127.0.0.1:${frontPort + portOffset}`;
  const senders = kinds.map(({ perSecond, plan }, index) => {
    const random = seededRandom(seed * 1000 + index);
    const send = () => sendOne({ url: baseUrl + requestPath(plan(random)), agent, ledger });
    return sendSteadily({ perSecond, random, send });
  });
  return {
    async stop() {
      await Promise.all(senders.map((sender) => sender.stop()));
      agent.destroy();
    },
  };
}

if (import.meta.main) await startTraffic({ portOffset: 0 });
