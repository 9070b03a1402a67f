/** Sends requests to the real API and checks what comes back. */

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { clientLimits } from '../../server/api/client-limits.ts';
import { hostGuard } from '../../server/api/guard.ts';
import { problemOf, validatorOf } from '../api/described.ts';
import { MIXED } from '../api/meshes.ts';
import { type RunningApi, startApi } from '../api/running-api.ts';
import { type Answer, AnswerReader } from './answers.ts';
import { type FuzzedRequest, requestAt } from './api-requests.ts';

export interface ApiRange {
  readonly seed: number;
  readonly from: number;
  readonly count: number;
}

export interface ApiTally {
  /** Answers by status. */
  readonly statuses: ReadonlyMap<number, number>;
  readonly failure?: { readonly index: number; readonly problem: string };
}

/** Requests that are sent at once over one connection. */
const PIPELINED = 16;
/** No request takes longer; a connection with a broken one may wait for what it announced. */
const HANG_MS = 20_000;
const BROKEN_WAIT_MS = 50;
const LIMITS = { connections: 1000, requestsPerClient: 100, streamsPerClient: 100 };
const ERROR_BODY = { $ref: '#/components/schemas/ErrorBody' };

/** The API of a small mesh, guarded as on loopback. */
export async function startFuzzedApi(): Promise<RunningApi> {
  const folder = mkdtempSync(join(tmpdir(), 'sidelight-fuzz-'));
  mkdirSync(join(folder, 'assets'));
  writeFileSync(join(folder, 'index.html'), '<!doctype html><title>Sidelight</title>');
  const rules = { address: '127.0.0.1', allowedHosts: [], externalUrl: '' };
  const api = await startApi(MIXED, {
    webFolder: folder,
    entrance: [hostGuard(() => rules), clientLimits(() => LIMITS)],
  });
  return {
    ...api,
    async stop() {
      await api.stop();
      rmSync(folder, { recursive: true });
    },
  };
}

/** Checks requests up to the first that fails. */
export async function fuzzApi(api: RunningApi, { seed, from, count }: ApiRange): Promise<ApiTally> {
  const statuses = new Map<number, number>();
  for (let start = from; start < from + count; start += PIPELINED) {
    const indices = Array.from({ length: Math.min(PIPELINED, from + count - start) }, (_, offset) => start + offset);
    const failure = await checkBatch(
      api,
      indices.map((index) => ({ index, request: requestAt(seed, index) })),
      statuses,
    );
    if (failure) return { statuses, failure };
  }
  return { statuses };
}

type Numbered = { readonly index: number; readonly request: FuzzedRequest };

async function checkBatch(api: RunningApi, batch: readonly Numbered[], statuses: Map<number, number>) {
  const port = Number(new URL(api.url).port);
  const pipelined = batch.filter(({ request }) => !request.alone);
  const answers = await askPipelined(
    port,
    pipelined.map(({ request }) => request),
  );
  for (const [position, { index, request }] of pipelined.entries()) {
    const answer = answers.found[position];
    if (answer) statuses.set(answer.status, (statuses.get(answer.status) ?? 0) + 1);
    const problem = answer
      ? problemOfAnswer(request, answer)
      : `no answer: ${answers.problem ?? 'the connection was closed'}`;
    if (problem !== undefined)
      return { index, problem: `${problem}\n${request.bytes.toString('latin1').slice(0, 400)}` };
  }
  for (const { index, request } of batch) {
    if (!request.alone) continue;
    const problem = await problemOfBroken(port, request);
    if (problem !== undefined) return { index, problem };
  }
  const [reported] = api.failures;
  return reported === undefined
    ? undefined
    : { index: batch[0]?.index ?? 0, problem: `the API reported a failure of its own: ${reported}` };
}

function askPipelined(
  port: number,
  requests: readonly FuzzedRequest[],
): Promise<{ found: Answer[]; problem?: string }> {
  const reader = new AnswerReader();
  const found: Answer[] = [];
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    const done = (problem?: string) => {
      clearTimeout(timer);
      socket.destroy();
      resolve({ found, ...(problem === undefined ? {} : { problem }) });
    };
    const timer = setTimeout(() => done(`nothing within ${HANG_MS} ms`), HANG_MS);
    socket.on('data', (bytes) => {
      try {
        found.push(...reader.take(bytes));
      } catch (error) {
        done(String(error));
      }
      if (found.length >= requests.length) done();
    });
    socket.on('error', () => {});
    socket.on('close', () => done('the connection was closed'));
    for (const { method } of requests) reader.expect(method);
    socket.write(Buffer.concat(requests.map(({ bytes }) => bytes)));
    if (requests.length === 0) done();
  });
}

function problemOfAnswer({ method, path, isDescribed }: FuzzedRequest, answer: Answer): string | undefined {
  const { status, headers } = answer;
  if (status >= 500) return `status ${status}: ${answer.body.toString('utf8').slice(0, 200)}`;
  const type = headers.get('content-type') ?? '';
  if (headers.get('x-content-type-options') !== 'nosniff') return 'no security headers';
  if (method === 'HEAD') return undefined;
  const text = (headers.get('content-encoding') === 'gzip' ? gunzipSync(answer.body) : answer.body).toString('utf8');
  if (!type.startsWith('application/json')) {
    return status >= 400 ? `an error in ${type}: ${text.slice(0, 100)}` : undefined;
  }
  const body = parsed(text);
  if (body === undefined) return `invalid JSON: ${text.slice(0, 200)}`;
  if (status >= 400 && !validatorOf(ERROR_BODY)(body)) return `an error that is none: ${text.slice(0, 200)}`;
  return isDescribed && method === 'GET' ? problemOf(path, { status, type }, body) : undefined;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Whatever comes after a broken request, the connection ends, without a failure and soon. */
function problemOfBroken(port: number, { bytes }: FuzzedRequest): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket: Socket = connect(port, '127.0.0.1');
    let begun = '';
    const done = (problem?: string) => {
      clearTimeout(quiet);
      clearTimeout(hang);
      socket.destroy();
      resolve(problem && `${problem} after ${JSON.stringify(bytes.toString('latin1').slice(0, 300))}`);
    };
    const quiet = setTimeout(() => socket.end(), BROKEN_WAIT_MS);
    const hang = setTimeout(() => done(`a connection that does not end within ${HANG_MS} ms`), HANG_MS);
    socket.on('data', (data) => {
      if (begun.length < 100) begun += data.toString('latin1');
    });
    socket.on('error', () => {});
    socket.on('close', () => done(/^HTTP\/1\.1 5/.test(begun) ? begun.slice(0, 100) : undefined));
    socket.write(bytes);
    socket.write('GET /-/healthy HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n');
  });
}
