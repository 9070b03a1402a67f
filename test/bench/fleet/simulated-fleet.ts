/** The processes of a simulated fleet, as those see it who measure with it. */

import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { rename, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import {
  addressOf,
  FLEET_PORT,
  type FleetCommand,
  type FleetPart,
  type FleetReport,
  type Served,
} from './fleet-messages.ts';
import { type Counted, PEERS, ZONE } from './simulated-traffic.ts';

const PROGRAM = fileURLToPath(new URL('./simulated-sidecars.ts', import.meta.url));
/** A process may have some 20,000 files open, and each sidecar takes three when two peers ask it. */
const MOST_PER_PROCESS = 5000;

export interface FleetOptions {
  readonly sidecars: number;
  /** Instances of each service. */
  readonly instances: number;
  readonly intervalMs: number;
}

export class SimulatedFleet {
  private readonly options: FleetOptions;
  private readonly children: readonly ChildProcess[];
  /** Numbers of its sidecars, the oldest first. */
  private indexes: number[];

  private constructor(options: FleetOptions) {
    this.options = options;
    if (this.services <= PEERS)
      throw new Error(
        `${options.sidecars} sidecars of ${options.instances} each: more than ${PEERS} services are needed`,
      );
    this.indexes = Array.from({ length: options.sidecars }, (_, index) => index);
    const processes = Math.ceil(options.sidecars / MOST_PER_PROCESS);
    this.children = Array.from({ length: processes }, (_, number) => {
      const indexes = this.indexes.filter((index) => index % processes === number);
      const { instances, intervalMs } = options;
      const part: FleetPart = { indexes, services: this.services, instances, intervalMs };
      return fork(PROGRAM, [JSON.stringify(part)], { execArgv: [], env: withoutProfile() });
    });
  }

  /** Resolves when all sidecars answer. */
  static async start(options: FleetOptions): Promise<SimulatedFleet> {
    const fleet = new SimulatedFleet(options);
    await Promise.all(fleet.children.map((child) => once(child, 'message')));
    return fleet;
  }

  get services(): number {
    return Math.ceil(this.options.sidecars / this.options.instances);
  }

  get size(): number {
    return this.indexes.length;
  }

  get pids(): number[] {
    return this.children.flatMap(({ pid }) => pid ?? []);
  }

  /** Writes the targets as file_sd takes them, all at once. */
  async writeTargets(file: string): Promise<void> {
    const groups = this.indexes.map((index) => {
      const service = this.serviceOf(index);
      const labels = { service, namespace: 'shop', instance: `${service}-${index}`, region: 'eu-west-1', zone: ZONE };
      return { targets: [`${addressOf(index)}:${FLEET_PORT}`], labels };
    });
    await writeFile(`${file}.new`, JSON.stringify(groups));
    await rename(`${file}.new`, file);
  }

  /** The oldest sidecars go, as many come that have names of their own. */
  async replace(count: number): Promise<void> {
    const remove = this.indexes.slice(0, count);
    const next = (this.indexes.at(-1) ?? -1) + 1;
    const add = remove.map((_, offset) => next + offset);
    this.indexes = [...this.indexes.slice(count), ...add];
    await this.tell((number) => {
      const own = (index: number) => index % this.children.length === number;
      return { do: 'replace', remove: remove.filter(own), add: add.filter(own) };
    });
  }

  /** Counts answers from now on. */
  async count(): Promise<void> {
    await this.tell(() => ({ do: 'count' }));
  }

  /** No sidecar serves anything more. */
  async freeze(): Promise<void> {
    await this.tell(() => ({ do: 'freeze' }));
  }

  /** All processes together. */
  async report(): Promise<FleetReport> {
    const reports = await this.tell(() => ({ do: 'report' }));
    return {
      truth: reports.map(({ truth }) => truth).reduce(plusCounted),
      served: reports.map(({ served }) => served).reduce(plusServed),
      waiting: reports.reduce((sum, { waiting }) => sum + waiting, 0),
    };
  }

  stop(): void {
    for (const child of this.children) child.disconnect();
  }

  private serviceOf(index: number): string {
    const number = Math.floor(index / this.options.instances) % this.services;
    return `svc-${String(number).padStart(4, '0')}`;
  }

  private tell(command: (process: number) => FleetCommand): Promise<FleetReport[]> {
    return Promise.all(
      this.children.map(async (child, number) => {
        const answer = once(child, 'message') as Promise<[FleetReport]>;
        child.send(command(number));
        return (await answer)[0];
      }),
    );
  }
}

/** A profile of the collector is asked for by this variable, which is none of the fleet's. */
function withoutProfile(): NodeJS.ProcessEnv {
  const { NODE_OPTIONS: _, ...env } = process.env;
  return env;
}

function plusCounted(a: Counted, b: Counted): Counted {
  return { inbound: a.inbound + b.inbound, outbound: a.outbound + b.outbound };
}

function plusServed(a: Served, b: Served): Served {
  return {
    collector: a.collector + b.collector,
    others: a.others + b.others,
    late: a.late + b.late,
    missed: a.missed + b.missed,
    longestGapMs: Math.max(a.longestGapMs, b.longestGapMs),
  };
}
