import fc from 'fast-check';
import { expect, test } from 'vitest';
import { BodyPool } from '../../server/scrape/body-pool.ts';
import { HttpResponse } from '../../server/scrape/http-response.ts';

function newResponse(pool = new BodyPool(), expectedBytes = 1): HttpResponse {
  return new HttpResponse({ bodyLimitBytes: 1_000_000, pool, expectedBytes, onHead() {} });
}

/** What is made of an answer that comes in these pieces. */
function told(pieces: readonly Buffer[]): unknown {
  const response = newResponse();
  let surplus = 0;
  try {
    for (const piece of pieces) surplus += piece.length - (response.done ? 0 : response.push(piece));
  } catch (error) {
    return (error as Error).message;
  }
  const { status, contentType, keepAlive, done, body } = response;
  return { status, contentType, keepAlive, done, surplus, body: body.toString('latin1') };
}

function cut(bytes: Buffer, lengths: readonly number[]): Buffer[] {
  const pieces: Buffer[] = [];
  let start = 0;
  for (const length of lengths) {
    pieces.push(bytes.subarray(start, start + length));
    start += length;
  }
  return [...pieces, bytes.subarray(start)].filter((piece) => piece.length > 0);
}

const body = fc.string({ unit: 'binary', maxLength: 200 }).map((text) => Buffer.from(text));

test('an answer in chunks is the same however it comes', () => {
  fc.assert(
    fc.property(fc.array(body), fc.array(fc.nat(40)), (parts, lengths) => {
      const chunks = parts
        .filter((part) => part.length > 0)
        .flatMap((part) => [`${part.length.toString(16)}\r\n`, part, '\r\n']);
      const head = 'HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ntransfer-encoding: chunked\r\n\r\n';
      const bytes = Buffer.concat([head, ...chunks, '0\r\n\r\n'].map((part) => Buffer.from(part)));
      const whole = { status: 200, contentType: 'text/plain', keepAlive: true, done: true, surplus: 0 };
      expect(told(cut(bytes, lengths))).toEqual({ ...whole, body: Buffer.concat(parts).toString('latin1') });
    }),
  );
});

test('damaged answers are refused or read, the same however they come', () => {
  const bytes = Buffer.from(
    'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\ncontent-type: a\r\ntransfer-encoding: chunked\r\n\r\n3;x\r\nabc\r\n2\r\nde\r\n0\r\n\r\n',
  );
  const damage = fc.array(fc.tuple(fc.nat(bytes.length - 1), fc.nat(255)), { minLength: 1, maxLength: 3 });
  fc.assert(
    fc.property(damage, fc.array(fc.integer({ min: 1, max: 9 })), (changes, lengths) => {
      const damaged = Buffer.from(bytes);
      for (const [at, byte] of changes) damaged[at] = byte;
      expect(told(cut(damaged, lengths))).toEqual(told([damaged]));
    }),
    { numRuns: 5000 },
  );
});

test('memory that was given back is taken for the next answer', () => {
  const pool = new BodyPool();
  const answered = () => {
    const response = newResponse(pool, 20_000);
    response.push(Buffer.from('HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nabc'));
    return response;
  };
  const first = answered();
  const memory = first.body.buffer;
  expect(answered().body.buffer).not.toBe(memory);
  first.release();
  expect(answered().body.buffer).toBe(memory);
});
