import type { Random } from '../../examples/meshes/random.ts';

type Damage = (body: Buffer, random: Random, other: () => Buffer) => Buffer;

const TOKENS = [
  '\n',
  '\r\n',
  ': ',
  ':',
  ',',
  ' ',
  '  totals=',
  '  intervals=\n',
  'B1(0,5)',
  'B1e+06(0,5)',
  'P0(nan,1)',
  '.upstream_rq_time:\n  totals=0,0:1\n  intervals=\n  summary=\n',
  'cluster.',
  '.membership_total: 1\n',
  'No recorded values',
  'nan',
  'NaN',
  '+Inf',
  'null',
  'true',
  '{',
  '}',
  '[',
  ']',
  '"',
  '\\',
  '\\u0000',
  '__proto__',
  'le="',
  '# TYPE envoy_cluster_x counter\n',
  '\nenvoy_cluster_upstream_rq_total{envoy_cluster_name="a"} 5\n',
  '\nenvoy_cluster_upstream_rq_time_bucket{envoy_cluster_name="a",le="5"} 5\n',
  '\u0000',
  '\ufeff',
  'ü',
  '|',
];

const NUMBERS = [
  '-1',
  '-0',
  '0.5',
  '1e400',
  '1e-400',
  '1e+06',
  '3.6e+06',
  '9007199254740991',
  '9007199254740993',
  '18446744073709551615',
  '9'.repeat(400),
  '0'.repeat(50),
  '.',
  '1.2.3',
  '0x10',
  '',
];

const LONGEST = 65_536;
/** One repetition in this many may be this much longer. */
const LONG_EVERY = 64;
const LONG_FACTOR = 8;

const DAMAGES: readonly Damage[] = [
  flip,
  (body, random) => spliced(body, at(body, random), 0, bytes(random)),
  (body, random) => spliced(body, at(body, random), 0, Buffer.from(pick(TOKENS, random))),
  (body, random) => spliced(body, at(body, random), Math.floor(random() * 60), Buffer.of()),
  (body, random) => spliced(body, at(body, random), 0, part(body, random, 300)),
  (body, random) => spliced(body, at(body, random), 0, line(body, random)),
  deleteLine,
  number,
  number,
  (body, random) => body.subarray(0, at(body, random)),
  (body, random) => body.subarray(at(body, random)),
  (body, random, other) => Buffer.concat([body.subarray(0, at(body, random)), tail(other(), random)]),
  repeat,
];

/** `body` with one to four damages of all kinds; `other` gives a further body to splice with. */
export function mutate(body: Buffer, random: Random, other: () => Buffer): Buffer {
  let damaged = body;
  for (let count = 1 + Math.floor(random() ** 2 * 4); count > 0; count--)
    damaged = pick(DAMAGES, random)(damaged, random, other);
  return damaged;
}

function pick<T>(list: readonly T[], random: Random): T {
  const picked = list[Math.floor(random() * list.length)];
  if (picked === undefined) throw new Error('nothing to pick from');
  return picked;
}

function at(body: Buffer, random: Random): number {
  return Math.floor(random() * (body.length + 1));
}

function bytes(random: Random): Buffer {
  return Buffer.from(Array.from({ length: 1 + Math.floor(random() * 8) }, () => Math.floor(random() * 256)));
}

function flip(body: Buffer, random: Random): Buffer {
  const flipped = Buffer.from(body);
  for (let count = 1 + Math.floor(random() * 4); count > 0 && body.length > 0; count--) {
    const position = Math.floor(random() * body.length);
    flipped[position] = (flipped[position] ?? 0) ^ (1 << Math.floor(random() * 8));
  }
  return flipped;
}

function part(body: Buffer, random: Random, longest: number): Buffer {
  const start = at(body, random);
  return body.subarray(start, start + Math.floor(random() * longest));
}

function tail(body: Buffer, random: Random): Buffer {
  return body.subarray(at(body, random));
}

/** Bounds of a line, its end included. */
function lineAt(body: Buffer, random: Random): [start: number, end: number] {
  const within = at(body, random);
  const start = within === 0 ? 0 : body.lastIndexOf(10, within - 1) + 1;
  const end = body.indexOf(10, within);
  return [start, end < 0 ? body.length : end + 1];
}

function line(body: Buffer, random: Random): Buffer {
  return body.subarray(...lineAt(body, random));
}

function deleteLine(body: Buffer, random: Random): Buffer {
  const [start, end] = lineAt(body, random);
  return spliced(body, start, end - start, Buffer.of());
}

/** Another number in place of one. */
function number(body: Buffer, random: Random): Buffer {
  let start = at(body, random);
  while (start < body.length && !isDigit(body[start])) start++;
  let end = start;
  while (isDigit(body[end])) end++;
  return spliced(body, start, end - start, Buffer.from(pick(NUMBERS, random)));
}

function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= 48 && byte <= 57;
}

/** A part, many times over: what is not linear in its size shows. */
function repeat(body: Buffer, random: Random): Buffer {
  const repeated = random() < 0.5 ? line(body, random) : part(body, random, 200);
  const longest = random() * LONG_EVERY < 1 ? LONGEST * LONG_FACTOR : LONGEST;
  const most = Math.log2(Math.max(2, longest / Math.max(1, repeated.length)));
  const times = Math.floor(2 ** (random() ** 2 * most));
  return spliced(body, at(body, random), 0, Buffer.alloc(repeated.length * times, repeated));
}

function spliced(body: Buffer, position: number, remove: number, add: Buffer): Buffer {
  return Buffer.concat([body.subarray(0, position), add, body.subarray(position + remove)]);
}
