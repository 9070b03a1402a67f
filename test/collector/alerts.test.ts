/** Alerts of the whole collector: from what an Envoy counts to an Alertmanager, over a restart and a reload. */

import { join } from 'node:path';
import { pino } from 'pino';
import { expect, onTestFinished, test } from 'vitest';
import type { AlertsAnswer, ServicesAnswer, StatusAnswer } from '../../server/api/contract.ts';
import { type RunningCollector, startCollector } from '../../server/collector.ts';
import type { Config } from '../../server/config/config.ts';
import { parseConfig } from '../../server/config/load.ts';
import { Alertmanager } from '../alerts/notify/alertmanager-process.ts';
import { eventually, Listener } from '../alerts/notify/listener.ts';
import { askedFor, FAKE_STATS, type FakeAnswer, healthy, sendText, startFakeAdmin } from '../scrape/fake-admin.ts';
import { temporaryFolder } from '../store/temporary-folder.ts';

const log = pino({ level: 'silent' });

/** An Envoy, made up, whose requests grow with every scrape while it is busy. */
async function fakeEnvoy() {
  const state = { requests: 40, busy: false };
  const answer: FakeAnswer = (request, response) => {
    if (askedFor(request) !== 'stats') return healthy(request, response);
    if (state.busy) state.requests += 7;
    sendText(response, FAKE_STATS.replace('rq_2xx: 40', `rq_2xx: ${state.requests}`));
  };
  const admin = await startFakeAdmin(answer);
  onTestFinished(() => admin.stop());
  return { state, text: admin.text };
}

function configOf(yaml: string): Config {
  const loaded = parseConfig(yaml, 'conf.yaml');
  if ('errors' in loaded) throw new Error(loaded.errors.join('\n'));
  return loaded.config;
}

async function read<Answer>(collector: RunningCollector, path: string): Promise<Answer> {
  return (await (await fetch(collector.url + path)).json()) as Answer;
}

interface Notice {
  readonly status: string;
  readonly alerts: readonly { readonly status: string; readonly labels: Readonly<Record<string, string>> }[];
}

test('fires once and ends once in an Alertmanager and its receiver, over a restart and a reload', {
  timeout: 180_000,
}, async () => {
  const hook = await new Listener().listen();
  onTestFinished(() => hook.close());
  const own = await new Listener().listen();
  onTestFinished(() => own.close());
  const manager = await new Alertmanager().start(hook.url);
  onTestFinished(() => manager.remove());
  const envoy = await fakeEnvoy();
  const yaml = (threshold: string) => `
scrape: { interval: 1s }
discovery: { static: [{ targets: ["${envoy.text}"], labels: { service: shop } }] }
storage: { path: ${join(temporaryFolder(), 'sidelight.db')} }
web: { listen: "127.0.0.1:0" }
log: { level: error }
alerts:
  interval: 1s
  rules: [{ name: Busy, signal: request_rate, match: { service: shop }, above: ${threshold}, window: 10s }]
  alertmanagers: [{ url: "${manager.url}" }]
  webhooks: [{ url: "${own.url}token", headers: { authorization: hidden-word } }]
`;
  let written = yaml('1/s');
  const config = configOf(written);
  const start = () =>
    startCollector(config, log, () =>
      parseConfig(written.replace(/path: .*\}/, `path: ${config.storage.path} }`), 'conf.yaml'),
    );
  let collector = await start();
  onTestFinished(() => collector.stop());
  const notices = () => hook.received.map(({ text }) => JSON.parse(text) as Notice);
  const statuses = () => notices().map(({ status }) => status);

  envoy.state.busy = true;
  await hook.until(() => notices().length === 1);
  expect(notices()[0]?.alerts[0]?.labels).toEqual({ alertname: 'Busy', service: 'shop', severity: 'page' });
  const { alerts } = await read<AlertsAnswer>(collector, '/api/v1/alerts');
  expect(alerts.map(({ name, state }) => [name, state])).toEqual([['Busy', 'firing']]);
  const { services } = await read<ServicesAnswer>(collector, '/api/v1/services');
  expect(services.find(({ service }) => service === 'shop')?.alerts).toEqual({ firing: 1, pending: 0 });
  const metrics = await (await fetch(`${collector.url}/metrics`)).text();
  expect(metrics).toContain('sidelight_alerts{alertname="Busy",service="shop",severity="page",state="firing"} 1');
  const status = JSON.stringify(await read<StatusAnswer>(collector, '/api/v1/status'));
  expect([status.includes('hidden-word'), status.includes('token')]).toEqual([false, false]);

  await collector.stop();
  collector = await start();
  const [before] = alerts;
  await eventually(async () => {
    const [after] = (await read<AlertsAnswer>(collector, '/api/v1/alerts')).alerts;
    expect([after?.state, after?.firedAt, after?.data]).toEqual(['firing', before?.firedAt, 'ok']);
  });
  expect(statuses()).toEqual(['firing']);

  written = yaml('1000/s');
  expect(collector.reload()).toEqual([]);
  await hook.until(() => statuses().includes('resolved'));
  expect(statuses()).toEqual(['firing', 'resolved']);
  const told = () => own.received.flatMap(({ text }) => (JSON.parse(text) as { events: { status: string }[] }).events);
  await own.until(() => told().length >= 2);
  expect(told().map((event) => event.status)).toEqual(['firing', 'resolved']);
});
