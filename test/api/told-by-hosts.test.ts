/** Figures of which hosts in /clusters told a part. */

import { afterAll, beforeAll, expect, test } from 'vitest';
import type { QueryAnswer, ServiceAnswer, ServicesAnswer, TargetsAnswer } from '../../server/api/contract.ts';
import type { FailureSource } from '../../server/model/scrape-record.ts';
import { discovered } from '../live/live-targets.ts';
import { type FlowSpec, goodScrape } from '../store/records.ts';
import { BASE, INTERVAL } from './meshes.ts';
import { type RunningApi, startApi } from './running-api.ts';

let api: RunningApi;

const calls = (peer: string, counters: FlowSpec['counters'] = {}): FlowSpec => ({
  direction: 'outbound',
  peer,
  counters,
});

/** `web` calls by a proxy cluster, which was read after the third scrape; `cron` calls `voting` as well. */
beforeAll(async () => {
  const web = (round: number, flows: readonly FlowSpec[]) => {
    const [from, to] = [BASE + round * INTERVAL, BASE + (round + 1) * INTERVAL];
    const findings = { carriers: ['proxy'], failureSource: 'clusters' as FailureSource };
    return goodScrape({
      target: '10.0.0.1:9901',
      from,
      to,
      identity: { service: 'web', instance: 'web-1' },
      flows,
      findings,
    });
  };
  const last = web(2, [
    calls('proxy'),
    calls('emoji', { '2xx': 6 }),
    calls('voting', { '2xx': 4, unclassed: 2, unclassed_failed: 1 }),
  ]);
  const { observation } = last.findings;
  const flows = observation.flows.map((flow, i) => (i === 0 ? flow : { ...flow, from: BASE }));
  const clusters = { at: last.at + 3, durationMs: 1.23456, bodyBytes: 900, result: 'ok' as const, error: '' };
  const told = { ...last, clusters, findings: { ...last.findings, observation: { ...observation, flows } } };
  const cron = goodScrape({
    target: '10.0.0.2:9901',
    from: BASE + 2 * INTERVAL,
    to: BASE + 3 * INTERVAL,
    identity: { service: 'cron', instance: 'cron-1' },
    flows: [calls('voting', { '2xx': 1 })],
  });
  const targets = ['10.0.0.1:9901', '10.0.0.2:9901'].map((address) => discovered(address));
  const records = [web(0, [calls('proxy')]), web(1, [calls('proxy')]), told, cron];
  api = await startApi({ targets, records });
});

afterAll(() => api?.stop());

const whole = `from=${BASE}&to=${BASE + 3 * INTERVAL}`;

test('a cluster that stands for no service is none, as long as nothing stays with it', async () => {
  const { services } = await api.get<ServicesAnswer>(`/api/v1/services?${whole}`);
  expect(services.map(({ service }) => service)).toEqual(['cron', 'emoji', 'voting', 'web']);
});

test('requests of unknown class are requests, and failed ones failures', async () => {
  const { requests, codeClasses, errorRate } = await api.get<ServiceAnswer>(`/api/v1/services/voting?${whole}`);
  expect([requests, errorRate]).toEqual([7, 1 / 7]);
  expect(codeClasses).toEqual({ '2xx': 5, '3xx': 0, '4xx': 0, '5xx': 0 });
});

test('what is counted late is spread over the time that it is of', async () => {
  const path = `/api/v1/query?signal=requests&by=peer,code_class&direction=outbound&service=web&step=10s&${whole}`;
  const { series } = await api.get<QueryAnswer>(path);
  const of = (peer: string, code: string) =>
    series.find(({ labels }) => labels.peer === peer && labels.code_class === code)?.points.map(([, value]) => value);
  expect([of('emoji', '2xx'), of('voting', 'unknown'), of('emoji', 'unknown')]).toEqual([
    [2, 2, 2],
    [1, 0, 1],
    undefined,
  ]);
});

test('who tells failures: of a service those who measured it', async () => {
  const { services } = await api.get<ServicesAnswer>(`/api/v1/services?${whole}`);
  expect(services.map(({ service, failureSource }) => [service, failureSource])).toEqual([
    ['cron', 'unknown'],
    ['emoji', 'clusters'],
    ['voting', 'mixed'],
    ['web', 'unknown'],
  ]);
  const { targets } = await api.get<TargetsAnswer>('/api/v1/targets');
  expect(targets.map(({ failureSource }) => failureSource)).toEqual(['status', 'clusters']);
  expect(targets[1]?.clusters).toEqual({
    at: expect.any(Number),
    durationMs: 1.235,
    bodyBytes: 900,
    result: 'ok',
    error: '',
  });
});
