import { addToHop, type Hop, Hops } from './hop.ts';
import type { CallResult } from './plan.ts';

export interface LedgerOptions {
  /** Instances of front proxies: what they pass on they call themselves, too. */
  gateways?: readonly string[];
  /** Instances whose calls go through their own Envoy. */
  callers?: readonly string[];
}

/** What was sent and came back, hop by hop, as every Envoy must have counted it. Instances are named by `node.id`. */
export class MeshLedger {
  /** Requests of the sender that were answered. */
  answered = 0;
  /** Calls without any answer, as `caller to called: why`; they are in no hop. */
  readonly unanswered: string[] = [];
  readonly #inbound = new Hops();
  readonly #outbound = new Hops();
  readonly #direct = new Hops();
  readonly #relayed = new Hops();
  readonly #arrived = new Hops();
  readonly #gateways: ReadonlySet<string>;
  readonly #callers: ReadonlySet<string>;

  constructor({ gateways = [], callers = [] }: LedgerOptions = {}) {
    this.#gateways = new Set(gateways);
    this.#callers = new Set(callers);
  }

  /** Requests that arrived at the Envoy of an instance. */
  inbound(instance: string): Hop {
    return this.#inbound.get(instance);
  }

  /** Requests that the Envoy of an instance sent to a service. */
  outbound(instance: string, service: string): Hop {
    return this.#outbound.get(instance, service);
  }

  /** Those of them that went to the service itself. */
  direct(instance: string, service: string): Hop {
    return this.#direct.get(instance, service);
  }

  /** Those that went to the Envoy of a gateway instance, which passed them on. */
  relayed(instance: string, gateway: string): Hop {
    return this.#relayed.get(instance, gateway);
  }

  /** Requests that the application of an instance answered, whichever way they came. */
  arrived(instance: string): Hop {
    return this.#arrived.get(instance);
  }

  /** Records what came back for one request of the sender; `from` is the instance that it was sent as, if any. */
  record(result: CallResult, from?: string): void {
    if (result.status !== 0) this.answered += 1;
    this.#add(result, from);
  }

  #add(result: CallResult, from: string | undefined): void {
    const { to, status, grpcStatus, tookMs, passed, answer } = result;
    if (status === 0) {
      this.unanswered.push(`${from ?? 'the sender'} to ${to}: ${result.error}`);
      return;
    }
    const completed = { status, grpcStatus, delayMs: answer?.delayMs ?? 0, observedMs: tookMs };
    if (from !== undefined && this.#callers.has(from)) {
      const [first = ''] = passed;
      addToHop(this.outbound(from, to), completed);
      addToHop(this.#gateways.has(first) ? this.relayed(from, first) : this.direct(from, to), completed);
    }
    passed.forEach((instance, index) => {
      addToHop(this.inbound(instance), completed);
      const isPassedOn = index < passed.length - 1 || answer !== null;
      if (this.#gateways.has(instance) && isPassedOn) addToHop(this.outbound(instance, to), completed);
    });
    if (answer === null) return;
    addToHop(this.arrived(answer.instance), completed);
    for (const call of answer.calls) this.#add(call, answer.instance);
  }
}
