import { describe, expect, test } from 'vitest';
import type { ChartData } from '../../../web/charts/chart-data.ts';
import { fileName, toCsv, toJson } from '../../../web/export/csv.ts';
import { chartRecords, serviceRecord } from '../../../web/export/records.ts';
import { summary, unseen } from '../summary.ts';

test('fields that only some records have are empty in the others, and nothing known is never 0', () => {
  expect(toCsv([{ a: 1, b: null }, { c: 'x' }])).toBe('a,b,c\r\n1,,\r\n,,x\r\n');
  expect(JSON.parse(toJson([{ a: null }]))).toEqual([{ a: null }]);
});

test.each([
  ['a,b', '"a,b"'],
  ['say "hi"', '"say ""hi"""'],
  ['two\nlines', '"two\nlines"'],
  ['=cmd()', "'=cmd()"],
  ['@x,y', '"\'@x,y"'],
  ['-1', "'-1"],
  ['plain', 'plain'],
])('the text %j is written as %s', (value, cell) => expect(toCsv([{ a: value }])).toBe(`a\r\n${cell}\r\n`));

test('a number below 0 stays one', () => expect(toCsv([{ a: -0.5 }])).toBe('a\r\n-0.5\r\n'));

test.each([
  ['checkout instances', 'sidelight-checkout-instances-20251121T104000Z.csv'],
  ['../../etc', 'sidelight-..-..-etc-20251121T104000Z.csv'],
  ['<b>ä</b>', 'sidelight-b-ä-b-20251121T104000Z.csv'],
])('%s is saved as %s', (name, file) => expect(fileName(name, 1_763_721_600_000, 'csv')).toBe(file));

describe('records', () => {
  test('a service that is not known before has changes of null, not of 0', () => {
    expect(serviceRecord(summary('a'), null)).toMatchObject({ service: 'a', requestRateChange: null, p99Change: null });
    expect(serviceRecord(summary('a'), summary('a'))).toMatchObject({ requestRateChange: 0, p99Change: 0 });
    expect(serviceRecord(unseen('a'))).toMatchObject({ state: 'no_data', requestsPerSecond: null, p99Ms: null });
  });

  test('a chart tells gaps, its ghost, and each row of its spread', () => {
    const data: ChartData = {
      from: 0,
      to: 2000,
      stepMs: 1000,
      times: [0, 1000],
      lines: [{ key: 'p50', label: 'p50', values: [3, null] }],
      requests: [1, null],
      gaps: [],
      ghost: { label: '1 hour ago', stepMs: 2000, times: [0], values: [5] },
      heat: {
        stepMs: 1000,
        times: [0, 1000],
        bounds: [
          [0, 4],
          [4, null],
        ],
        counts: [[2, 0], null],
        timeouts: [0, null],
        most: 2,
      },
    };
    const usual = { stepMs: 1000, beforeMs: 5 };
    expect(chartRecords(data, 'latency')).toEqual([
      { ...usual, time: '1970-01-01T00:00:00.000Z', state: 'ok', p50Ms: 3, samples0to4Ms: 2, samples4toMs: 0 },
      { ...usual, time: '1970-01-01T00:00:01.000Z', state: 'no_data', p50Ms: null },
    ]);
  });
});
