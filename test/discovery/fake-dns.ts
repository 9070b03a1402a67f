/** A name server on loopback that stands in for a real one: UDP, one question per message. */

import { createSocket } from 'node:dgram';
import { once } from 'node:events';

type DnsRecord =
  | { readonly type: 'A'; readonly address: string; readonly ttl?: number }
  | { readonly type: 'AAAA'; readonly address: string; readonly ttl?: number }
  | { readonly type: 'SRV'; readonly target: string; readonly port: number; readonly ttl?: number };

/** What is answered to a question: records, an error code of DNS, or nothing at all. */
export type DnsAnswer = readonly DnsRecord[] | 'NXDOMAIN' | 'SERVFAIL' | 'silence' | 'garbage';

export interface FakeDns {
  readonly server: string;
  /** Names that were asked for, with their types, as `A name`. */
  readonly asked: string[];
  /** By name without a dot at its end; a name that is not here is NXDOMAIN. */
  readonly names: Map<string, DnsAnswer>;
  stop(): void;
}

const TYPES = { A: 1, AAAA: 28, SRV: 33 } as const;

/** @param port default: any free one. */
export async function startFakeDns(port = 0): Promise<FakeDns> {
  const names = new Map<string, DnsAnswer>();
  const asked: string[] = [];
  const socket = createSocket('udp4');
  socket.on('message', (query, from) => {
    const { name, type, end } = questionOf(query);
    asked.push(`${typeName(type)} ${name}`);
    const answer = names.get(name) ?? 'NXDOMAIN';
    if (answer === 'silence') return;
    const reply =
      answer === 'garbage'
        ? Buffer.concat([query.subarray(0, 2), Buffer.alloc(9, 0xff)])
        : replyTo(query, { type, end, answer });
    socket.send(reply, from.port, from.address);
  });
  socket.bind(port, '127.0.0.1');
  await once(socket, 'listening');
  return { server: `127.0.0.1:${socket.address().port}`, asked, names, stop: () => socket.close() };
}

function questionOf(query: Buffer): { name: string; type: number; end: number } {
  const labels: string[] = [];
  let at = 12;
  for (let length = query[at] ?? 0; length !== 0; length = query[at] ?? 0) {
    labels.push(query.toString('ascii', at + 1, at + 1 + length));
    at += length + 1;
  }
  return { name: labels.join('.').toLowerCase(), type: query.readUInt16BE(at + 1), end: at + 5 };
}

function replyTo(
  query: Buffer,
  asked: { type: number; end: number; answer: readonly DnsRecord[] | 'NXDOMAIN' | 'SERVFAIL' },
): Buffer {
  const { type, end, answer } = asked;
  const records = typeof answer === 'string' ? [] : answer.filter((record) => TYPES[record.type] === type);
  const code = answer === 'NXDOMAIN' ? 3 : answer === 'SERVFAIL' ? 2 : 0;
  const header = Buffer.alloc(12);
  query.copy(header, 0, 0, 2);
  header.writeUInt16BE(0x8180 | code, 2);
  header.writeUInt16BE(1, 4);
  header.writeUInt16BE(records.length, 6);
  return Buffer.concat([header, query.subarray(12, end), ...records.map(recordBytes)]);
}

function recordBytes(record: DnsRecord): Buffer {
  const data = dataOf(record);
  const head = Buffer.alloc(12);
  head.writeUInt16BE(0xc00c, 0);
  head.writeUInt16BE(TYPES[record.type], 2);
  head.writeUInt16BE(1, 4);
  head.writeUInt32BE(record.ttl ?? 60, 6);
  head.writeUInt16BE(data.length, 10);
  return Buffer.concat([head, data]);
}

function dataOf(record: DnsRecord): Buffer {
  if (record.type === 'A') return Buffer.from(record.address.split('.').map(Number));
  if (record.type === 'AAAA') {
    const groups = record.address.split('::').map((part) => part.split(':').filter(Boolean));
    const [head = [], tail = []] = groups;
    const words = [...head, ...Array(8 - head.length - tail.length).fill('0'), ...tail];
    return Buffer.concat(words.map((word) => Buffer.from(word.padStart(4, '0'), 'hex')));
  }
  const port = Buffer.alloc(6);
  port.writeUInt16BE(record.port, 4);
  const name = record.target.split('.').flatMap((label) => [Buffer.from([label.length]), Buffer.from(label)]);
  return Buffer.concat([port, ...name, Buffer.from([0])]);
}

function typeName(type: number): string {
  return Object.entries(TYPES).find(([, number]) => number === type)?.[0] ?? String(type);
}
