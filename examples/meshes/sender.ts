import type { Running } from '../../server/demo/mesh.ts';
import { Caller, type Route } from './caller.ts';
import type { MeshLedger } from './ledger.ts';
import type { PlannedCall } from './plan.ts';
import { type Random, seededRandom } from './random.ts';
import { sendSteadily } from './steady.ts';

/** Where requests enter a mesh. */
export interface Entry extends Route {
  /** The instance that sends through it, where that has an Envoy of its own. */
  from?: string;
}

export interface EntryRequest extends PlannedCall {
  /** One of the mesh's entries. */
  entry: string;
}

export interface SendOptions {
  entries: Readonly<Record<string, Entry>>;
  portOffset: number;
  /** Takes what came back; it grows with every request. */
  ledger?: MeshLedger;
}

/** Sends exactly these requests, each once, so many at a time, and resolves when all are answered or failed. */
export async function sendPlan(
  plan: readonly EntryRequest[],
  { concurrency, ...options }: SendOptions & { concurrency: number },
): Promise<void> {
  const caller = new Caller(options);
  const requests = plan.values();
  const sender = async () => {
    for (const request of requests) await sendOne(caller, request, options);
  };
  try {
    await Promise.all(Array.from({ length: concurrency }, sender));
  } finally {
    caller.destroy();
  }
}

async function sendOne(caller: Caller, { entry, ...call }: EntryRequest, options: SendOptions): Promise<void> {
  const route = options.entries[entry];
  if (route === undefined) throw new Error(`no entry ${entry}`);
  const result = await caller.call(route, call);
  options.ledger?.record(result, route.from);
}

/** Requests of one kind of the steady traffic. */
export interface Kind {
  name: string;
  perSecond: number;
  plan: (random: Random) => EntryRequest;
}

/** Sends every kind at its own rate, the same requests at every start. `stop()` resolves when the last is answered. */
export function sendKinds(kinds: readonly Kind[], options: SendOptions): Running {
  const caller = new Caller(options);
  const senders = kinds.map(({ perSecond, plan }, index) => {
    const random = seededRandom(1000 + index);
    return sendSteadily({ perSecond, random, send: () => sendOne(caller, plan(random), options) });
  });
  return {
    async stop() {
      await Promise.all(senders.map((sender) => sender.stop()));
      caller.destroy();
    },
  };
}
