/** What became of a request to a receiver of OTLP (https://opentelemetry.io/docs/specs/otlp/#otlphttp-response). */

import protobuf from 'protobufjs/minimal.js';

export type Outcome =
  /** `rejected`: points that the receiver says it did not take, and why. */
  | { readonly kind: 'accepted'; readonly rejected: number; readonly reason: string }
  /** May be tried again, after as long as the receiver says. */
  | { readonly kind: 'retry'; readonly reason: string; readonly afterMs?: number }
  /** Would be refused again. */
  | { readonly kind: 'refused'; readonly reason: string };

/** Sends one request at a time. Never rejects. */
export interface Sender {
  /** @param body an ExportMetricsServiceRequest. */
  send(body: Uint8Array, signal: AbortSignal): Promise<Outcome>;
  close(): Promise<void>;
}

const { Reader } = protobuf;
const LONGEST_REASON = 200;

/** One line of what a receiver said. */
export function oneLine(text: string): string {
  const [line = ''] = text.trim().split(/[\r\n]/);
  return line.replaceAll(/\p{Cc}|\ufffd/gu, ' ').slice(0, LONGEST_REASON);
}

/** Of an ExportMetricsServiceResponse; one that can't be read is taken for a receiver that is none. */
export function outcomeOf(answer: Uint8Array): Outcome {
  try {
    const success = fieldsOf(answer).find(([field]) => field === 1)?.[1];
    const fields = success instanceof Uint8Array ? fieldsOf(success) : [];
    const rejected = fields.find(([field]) => field === 1)?.[1];
    const message = fields.find(([field]) => field === 2)?.[1];
    return {
      kind: 'accepted',
      rejected: typeof rejected === 'number' ? Math.max(0, rejected) : 0,
      reason: message instanceof Uint8Array ? oneLine(Buffer.from(message).toString('utf8')) : '',
    };
  } catch {
    return { kind: 'refused', reason: 'its answer is not that of a receiver of OTLP: is the address right?' };
  }
}

type Field = readonly [field: number, value: number | Uint8Array | undefined];

/** The fields of a message, without those of fixed length. @throws when it is none. */
export function fieldsOf(bytes: Uint8Array): Field[] {
  const reader = Reader.create(bytes);
  const fields: Field[] = [];
  while (reader.pos < reader.len) {
    const tag = reader.uint32();
    const [field, wire] = [tag >>> 3, tag & 7];
    if (field === 0) throw new Error('no field has the number 0');
    if (wire === 0) fields.push([field, Number(reader.int64())]);
    else if (wire === 2) fields.push([field, reader.bytes()]);
    else reader.skipType(wire);
  }
  return fields;
}
