/**
 * What a scrape counted, as the bytes that are stored of it. A round is gathered for longer than young objects live:
 * bytes in memory that is used again are nothing that has to be collected as old garbage.
 */

import { COUNTERS, type FlowIncrement, type FlowKey, GAUGES, type Identity, type Observation } from '../model/flow.ts';
import { MemoryPool } from '../model/memory-pool.ts';
import { VarintWriter } from '../model/varint.ts';
import { DIRECTIONS, FIRST_GAUGE, RecordWriter, readRecord } from './record.ts';

const MEMORY = new MemoryPool({ smallestBytes: 512, mostKeptBytes: 4 * 1024 * 1024 });
/** Used again for every scrape. */
const OUT = new VarintWriter(16_384);
const WRITER = new RecordWriter();
const POSITIONS = DIRECTIONS.map(() => 0);

/** As a row of the log holds it: of gauges those that are stored. */
export class PackedObservation implements Observation {
  readonly identity: Identity;
  readonly from: number;
  readonly to: number;
  /** The names of the flows, in their order. */
  readonly keys: readonly FlowKey[];
  readonly record: Uint8Array;
  private memory: Buffer | undefined;

  /** @throws RangeError where a number can't be a count. */
  constructor({ identity, from, to, flows }: Observation) {
    this.identity = identity;
    this.from = from;
    this.to = to;
    this.keys = keysOf(flows);
    OUT.clear();
    writeFlows(OUT, flows);
    const written = OUT.view();
    this.memory = MEMORY.take(written.length);
    this.memory.set(written);
    this.record = this.memory.subarray(0, written.length);
  }

  /** Made from the bytes at every call. */
  get flows(): readonly FlowIncrement[] {
    const flows = this.keys.map(newIncrement);
    for (const [direction, name] of DIRECTIONS.entries()) {
      const own = flows.filter(({ flow }) => flow.direction === name);
      let current: (typeof flows)[number] | undefined;
      readRecord(
        this.record,
        { direction, bins: true },
        {
          flow(position) {
            current = own[position];
            return true;
          },
          number(column, value) {
            if (!current) return;
            if (column < COUNTERS.length) current.counters[column] = value;
            else current.gauges[column - FIRST_GAUGE] = value;
          },
          bin(key, count) {
            current?.bins.keys.push(key);
            current?.bins.counts.push(count);
          },
        },
      );
    }
    return flows;
  }

  /** Gives the memory of `record` back: whoever calls it, and everybody else, reads neither it nor `flows` any more. */
  release(): void {
    if (this.memory) MEMORY.release(this.memory);
    this.memory = undefined;
  }
}

/** The names of an observation's flows, in their order. */
export function flowKeys(observation: Observation): readonly FlowKey[] {
  return observation instanceof PackedObservation ? observation.keys : keysOf(observation.flows);
}

/** Writes the record of an observation. @throws RangeError where a number can't be a count. */
export function writeRecord(out: VarintWriter, observation: Observation): void {
  if (observation instanceof PackedObservation) out.writeBytes(observation.record);
  else writeFlows(out, observation.flows);
}

function writeFlows(out: VarintWriter, flows: readonly FlowIncrement[]): void {
  WRITER.clear();
  POSITIONS.fill(0);
  for (let i = 0; i < flows.length; i++) {
    const increment = flows[i];
    if (!increment) continue;
    const direction = DIRECTIONS.indexOf(increment.flow.direction);
    const position = POSITIONS[direction] ?? 0;
    POSITIONS[direction] = position + 1;
    WRITER.add(direction, position, increment);
  }
  WRITER.writeTo(out);
}

/** Lists of the same names, by the first of them: scrapes of targets that share a plan share its names. */
const known = new WeakMap<FlowKey, readonly FlowKey[]>();

function keysOf(flows: readonly FlowIncrement[]): readonly FlowKey[] {
  const [first] = flows;
  if (!first) return [];
  const keys = known.get(first.flow);
  if (keys?.length === flows.length && keys.every((key, index) => key === flows[index]?.flow)) return keys;
  const made = flows.map(({ flow }) => flow);
  known.set(first.flow, made);
  return made;
}

function newIncrement(flow: FlowKey) {
  const bins: { keys: number[]; counts: number[] } = { keys: [], counts: [] };
  return { flow, counters: new Float64Array(COUNTERS.length), gauges: new Float64Array(GAUGES.length), bins };
}
