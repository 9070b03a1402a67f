/**
 * A process of its own with the admin ports of many sidecars, each at an address of its own. Bodies are rendered once for
 * many of them; what is left for an answer is to copy it and to write the numbers of the called services into it.
 *
 * `fork(…, [JSON of FleetPart])`; it takes a {@link FleetCommand} and answers each with a {@link FleetReport}.
 */

import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import {
  addressOf,
  FLEET_PORT,
  type FleetCommand,
  type FleetPart,
  type FleetReport,
  type Served,
} from './fleet-messages.ts';
import { clustersAnswer, type Host, MANAGERS, serverInfo } from './sidecar-answers.ts';
import {
  type Counted,
  calledService,
  LAGS,
  MOMENT_MS,
  PEERS,
  SimulatedTraffic,
  type Template,
  VARIANTS,
} from './simulated-traffic.ts';

/** Who asks, by the header that both send. */
const COLLECTOR = 'user-agent: sidelight';
const HOST_PORT = 8080;
const FIRST_UPTIME_SECONDS = 3600;
/** A scrape that is later than this share of the interval is late; one that is later than the next one is missed. */
const LATE = 0.1;
const MISSED = 0.5;

const part = JSON.parse(process.argv[2] ?? '{}') as FleetPart;
const startedAt = Date.now();
const traffic = Array.from({ length: VARIANTS }, (_, variant) => new SimulatedTraffic(variant + 1));
let frozen = false;

/** One sidecar, and what it was asked by the collector. */
class SimulatedSidecar {
  readonly index: number;
  readonly server: Server;
  /** What it had counted when the collector counted it first and asked it last. */
  first: Counted | undefined;
  last: Counted | undefined;
  askedAt = 0;
  isAskedFrozen = false;
  private readonly sockets = new Set<Socket>();

  constructor(index: number) {
    this.index = index;
    this.server = createServer((socket) => this.serve(socket));
  }

  async listen(): Promise<void> {
    this.server.listen(FLEET_PORT, addressOf(this.index));
    await once(this.server, 'listening');
  }

  /** What was answered is still sent: the collector was told it, and it counts. */
  close(): void {
    this.server.close();
    for (const socket of this.sockets) socket.end();
  }

  private serve(socket: Socket): void {
    let request = '';
    this.sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => this.sockets.delete(socket));
    socket.setNoDelay(true);
    socket.on('data', (bytes: Buffer) => {
      request += bytes.toString('latin1');
      if (!request.endsWith('\r\n\r\n')) return;
      const whole = request;
      request = '';
      socket.write(this.answer(whole));
    });
  }

  private answer(request: string): Buffer {
    const path = request.slice(request.indexOf(' ') + 1, request.indexOf(' HTTP/1.1'));
    if (path.startsWith('/server_info')) {
      // Until it is told which process it is, nothing of a sidecar is counted.
      this.first ??= this.last;
      return serverInfo(`sidecar-${this.index}`, uptimeSeconds());
    }
    if (path.startsWith('/clusters')) return this.clusters();
    if (path.startsWith('/stats?filter=^http')) return MANAGERS;
    if (request.toLowerCase().includes(COLLECTOR)) this.note();
    else served.others++;
    return filledIn(this.traffic.answer(this.lag, path), this.service);
  }

  private note(): void {
    const now = performance.now();
    const gap = (now - this.askedAt) / part.intervalMs;
    if (this.askedAt > 0) {
      served.longestGapMs = Math.max(served.longestGapMs, now - this.askedAt);
      if (gap > 1 + MISSED) served.missed += Math.round(gap) - 1;
      else if (gap > 1 + LATE) served.late++;
    }
    this.askedAt = now;
    this.isAskedFrozen = frozen;
    this.last = this.traffic.counted(this.lag);
    served.collector++;
  }

  private clusters(): Buffer {
    const own: [string, Host[]] = ['local_app', [{ address: '127.0.0.1', port: HOST_PORT }]];
    const called = Array.from({ length: PEERS }, (_, peer): [string, Host[]] => {
      const service = calledService(this.service, peer, part.services);
      return [`svc-${String(service).padStart(4, '0')}`, hostsOf(service)];
    });
    return clustersAnswer(this.traffic.moment(this.lag), new Map([own, ...called]));
  }

  private get service(): number {
    return Math.floor(this.index / part.instances) % part.services;
  }

  private get traffic(): SimulatedTraffic {
    const chosen = traffic[this.index % VARIANTS];
    if (!chosen) throw new Error('no such traffic');
    return chosen;
  }

  private get lag(): number {
    return Math.floor(this.index / VARIANTS) % LAGS;
  }
}

function hostsOf(service: number): Host[] {
  return Array.from({ length: 3 }, (_, instance) => ({
    address: addressOf(service * part.instances + (instance % part.instances)),
    port: HOST_PORT,
  }));
}

function uptimeSeconds(): number {
  return FIRST_UPTIME_SECONDS + Math.floor((Date.now() - startedAt) / 1000);
}

function filledIn({ bytes, places }: Template, service: number): Buffer {
  const answer = Buffer.allocUnsafe(bytes.length);
  bytes.copy(answer);
  for (let i = 0; i < places.length; i += 2) {
    const at = places[i] ?? 0;
    let number = calledService(service, places[i + 1] ?? 0, part.services);
    for (let digit = 3; digit >= 0; digit--) {
      answer[at + digit] = 48 + (number % 10);
      number = Math.floor(number / 10);
    }
  }
  return answer;
}

const served: { -readonly [Name in keyof Served]: Served[Name] } = emptyServed();

function emptyServed(): Served {
  return { collector: 0, others: 0, late: 0, missed: 0, longestGapMs: 0 };
}

const sidecars = new Map<number, SimulatedSidecar>();
/** What the collector was told between the first and the last answer of sidecars that are gone. */
let gone: Counted = { inbound: 0, outbound: 0 };

async function add(index: number): Promise<void> {
  const sidecar = new SimulatedSidecar(index);
  await sidecar.listen();
  sidecars.set(index, sidecar);
}

function remove(index: number): void {
  const sidecar = sidecars.get(index);
  if (!sidecar) return;
  gone = plus(gone, toldBy(sidecar));
  sidecar.close();
  sidecars.delete(index);
}

function toldBy({ first, last }: SimulatedSidecar): Counted {
  if (!first || !last) return { inbound: 0, outbound: 0 };
  return { inbound: last.inbound - first.inbound, outbound: last.outbound - first.outbound };
}

function plus(a: Counted, b: Counted): Counted {
  return { inbound: a.inbound + b.inbound, outbound: a.outbound + b.outbound };
}

function report(): FleetReport {
  const truth = [...sidecars.values()].map(toldBy).reduce(plus, gone);
  const waiting = [...sidecars.values()].filter(({ isAskedFrozen }) => !isAskedFrozen).length;
  return { truth, served: { ...served }, waiting };
}

const COMMANDS: Readonly<Record<FleetCommand['do'], (command: FleetCommand) => Promise<void> | void>> = {
  report: () => {},
  count: () => void Object.assign(served, emptyServed()),
  freeze: () => {
    frozen = true;
  },
  replace: async ({ remove: old = [], add: young = [] }) => {
    for (const index of old) remove(index);
    for (const index of young) await add(index);
  },
};

for (const index of part.indexes) await add(index);
traffic.forEach((one, variant) => {
  const goOn = () => {
    if (!frozen) one.goOn();
  };
  setTimeout(() => setInterval(goOn, MOMENT_MS), (MOMENT_MS * variant) / VARIANTS);
});
process.on('message', (command: FleetCommand) => {
  void Promise.resolve(COMMANDS[command.do](command)).then(() => process.send?.(report()));
});
process.on('disconnect', () => process.exit());
process.send?.(report());
