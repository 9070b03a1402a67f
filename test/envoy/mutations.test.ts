/** Bodies of real Envoys, damaged in all ways: a reader either reads them or says why not, and never makes up numbers. */

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { StatsError, type StatsReader, type StatsReading } from '../../server/envoy/stats.ts';
import { JsonStatsReader } from '../../server/envoy/stats-json.ts';
import { TextStatsReader } from '../../server/envoy/stats-text.ts';
import { capture } from './captures.ts';

/** A part of a real body: of a few clusters and connection managers, with their histograms. */
function excerptOfText(): Buffer {
  const lines = capture('1.40.0/1_stats_detailed_usedonly.txt').toString('utf8').split('\n');
  const wanted = /^(?:cluster\.(?:grpc_backend|zonal|odd\.upstream_rq_time)|http\.ingress_http|server)\./;
  const kept = lines.filter((line, index) => {
    const ofHistogram = line.startsWith('  ')
      ? lines.findLastIndex((one, at) => at < index && !one.startsWith('  '))
      : index;
    return wanted.test(lines[ofHistogram] ?? '');
  });
  return Buffer.from(`${kept.join('\n')}\n`);
}

const TEXT = excerptOfText();
const JSON_BODY = capture('1.40.0/restart_1_before_stats_detailed_usedonly.json');

type Damage = (body: Buffer) => Buffer;

function damages(length: number): fc.Arbitrary<Damage> {
  const at = fc.nat(length);
  const bytes = fc.oneof(
    fc.uint8Array({ minLength: 1, maxLength: 8 }).map((array) => Buffer.from(array)),
    fc
      .constantFrom(
        '\n',
        ': ',
        ':',
        ',',
        '  totals=',
        '-',
        'nan',
        '1e400',
        '9'.repeat(400),
        '{',
        ']',
        '"',
        'null',
        '\r',
      )
      .map((text) => Buffer.from(text)),
  );
  return fc.oneof(
    at.map(
      (end): Damage =>
        (body) =>
          body.subarray(0, end),
    ),
    at.map(
      (start): Damage =>
        (body) =>
          body.subarray(start),
    ),
    fc.tuple(at, bytes).map(
      ([position, added]): Damage =>
        (body) =>
          spliced(body, position, 0, added),
    ),
    fc.tuple(at, bytes).map(
      ([position, other]): Damage =>
        (body) =>
          spliced(body, position, other.length, other),
    ),
    fc.tuple(at, fc.nat(200)).map(
      ([position, count]): Damage =>
        (body) =>
          spliced(body, position, count, Buffer.of()),
    ),
    fc.tuple(at, at, fc.nat(300)).map(
      ([from, to, count]): Damage =>
        (body) =>
          spliced(body, to, 0, body.subarray(from, from + count)),
    ),
  );
}

function spliced(body: Buffer, position: number, remove: number, add: Buffer): Buffer {
  return Buffer.concat([body.subarray(0, position), add, body.subarray(position + remove)]);
}

function expectWhole({ layout, values, binStarts, binKeys, binCounts }: StatsReading): void {
  const isCount = (value: number) => Number.isSafeInteger(value) && value >= 0;
  expect(values).toHaveLength(layout.scalars.length);
  expect(values.every(isCount)).toBe(true);
  expect(binStarts).toHaveLength(layout.histograms.length + 1);
  expect(binStarts.at(-1)).toBe(binKeys.length);
  expect(binCounts).toHaveLength(binKeys.length);
  expect(binCounts.every(isCount)).toBe(true);
  const firsts = new Set(binStarts);
  expect(binKeys.every((key, index) => firsts.has(index) || key > (binKeys[index - 1] ?? 0))).toBe(true);
}

describe.each<[string, Buffer, () => StatsReader]>([
  ['text', TEXT, () => new TextStatsReader()],
  ['JSON', JSON_BODY, () => new JsonStatsReader()],
])('damaged %s', (_, body, newReader) => {
  test('is read as whole numbers or refused with a reason', () => {
    const whole = newReader().read(body);
    let refused = 0;
    let read = 0;
    fc.assert(
      fc.property(fc.array(damages(body.length), { minLength: 1, maxLength: 3 }), (list) => {
        const damaged = list.reduce((bytes, damage) => damage(bytes), body);
        const reader = newReader();
        reader.read(body);
        try {
          expectWhole(reader.read(damaged));
          read++;
        } catch (error) {
          if (!(error instanceof StatsError)) throw error;
          expect(error.message.length).toBeLessThan(200);
          refused++;
        }
        expect(reader.read(body)).toEqual(whole);
      }),
      { numRuns: 1500 },
    );
    expect(refused).toBeGreaterThan(300);
    expect(read).toBeGreaterThan(50);
  });
});
