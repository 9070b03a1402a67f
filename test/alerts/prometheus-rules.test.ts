import { spawnSync } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { rulesOf } from '../../server/alerts/builtin-rules.ts';
import { prometheusRuleFile } from '../../server/alerts/prometheus-rules.ts';
import { parseConfig } from '../../server/config/load.ts';
import { SIGNAL_UNITS, type SignalUnit } from '../../server/model/signals.ts';

const THRESHOLDS: Readonly<Record<SignalUnit, string>> = {
  count: '20',
  rate: '100/s',
  share: '1%',
  duration: '500ms',
  byte_rate: '1MiB/s',
};

const SIGNAL_RULES = Object.entries(SIGNAL_UNITS).map(
  ([signal, unit]) =>
    `    - { name: ${signal}, signal: ${signal}, above: ${THRESHOLDS[unit]}, min_requests: 5, for: 1m, keep_firing_for: 2m }`,
);

const YAML = `alerts:
  rules:
${SIGNAL_RULES.join('\n')}
    - { name: Cleared, signal: latency_p99, above: 1s, clear_at: 800ms, by: [service, region], match: { service: 'a"b\\d+|c' },
        labels: { team: mesh }, annotations: { summary: "{{ .labels.service }}: {{ .value }} of {{ .threshold }}" } }
    - { name: Outbound, signal: error_rate, above: 5%, direction: outbound, by: [service, peer] }
    - { name: Compared, signal: latency_p95, against: 1w, factor: 2, window: 10m }
    - { name: Busier, signal: request_rate, against: 1d, factor: 2 }
    - { name: Lower, signal: request_rate, against: 1d, factor: 0.5 }
    - { name: Success, slo: { objective: 99.9% }, min_requests: 100 }
    - { name: Fast, slo: { objective: 99%, good: "latency < 250ms" } }
    - { name: Odd, slo: { objective: 99%, good: "latency < 300ms" } }
`;

function ruleFile(): string {
  const loaded = parseConfig(YAML, 'conf.yaml');
  if ('errors' in loaded) throw new Error(loaded.errors.join('\n'));
  return prometheusRuleFile({ rules: loaded.config.alerts.rules, buckets: loaded.config.exporter.buckets });
}

interface Written {
  groups: {
    rules: { alert: string; expr: string; labels: Record<string, string>; annotations?: Record<string, string> }[];
  }[];
}

const rules = () => new Map((parse(ruleFile()) as Written).groups[0]?.rules.map((rule) => [rule.alert, rule]));

test('promtool takes the file', () => {
  const file = join(mkdtempSync(join(tmpdir(), 'sidelight-rules-')), 'rules.yaml');
  writeFileSync(file, ruleFile());
  const { error, status, stderr, stdout } = spawnSync('promtool', ['check', 'rules', file], { encoding: 'utf8' });
  if (error) throw new Error(`promtool does not run (${error.message}): apt-get install prometheus`);
  expect([status, stderr]).toEqual([0, '']);
  expect(stdout).toContain(`${rules().size} rules found`);
});

test('every signal that /metrics tells has a rule; for others the file says why not', () => {
  const missing = Object.keys(SIGNAL_UNITS).filter((signal) => !rules().has(signal));
  expect(missing).toEqual(['connections', 'bytes_rx', 'bytes_tx']);
  const comments = ruleFile()
    .split('\n')
    .filter((line) => line.startsWith('#'));
  expect(comments).toContain('# bytes_rx is left out: /metrics does not tell bytes_rx.');
  expect(comments).toContain('# Odd is left out: /metrics has no bucket at 0.3 s: add 0.3 to exporter.buckets.');
  expect(comments).toContain('# Cleared ends at its threshold here: Prometheus has no clear_at.');
});

test.each([
  [
    'latency_p99',
    'histogram_quantile(0.99, sum by (le, service, namespace) (rate(mesh_request_duration_seconds_bucket{direction="inbound"}[5m]))) > 0.5 and sum by (service, namespace) (increase(mesh_requests_total{direction="inbound"}[5m])) >= 5',
  ],
  [
    'active_requests',
    'sum by (service, namespace) (mesh_active_requests{direction="inbound"}) > 20 and sum by (service, namespace) (increase(mesh_requests_total{direction="inbound"}[5m])) >= 5',
  ],
  [
    'Cleared',
    'histogram_quantile(0.99, sum by (le, service, region) (rate(mesh_request_duration_seconds_bucket{direction="inbound", service=~"a\\"b\\\\d+|c"}[5m]))) > 1 and sum by (service, region) (increase(mesh_requests_total{direction="inbound", service=~"a\\"b\\\\d+|c"}[5m])) >= 20',
  ],
  [
    'Busier',
    'sum by (service, namespace) (rate(mesh_requests_total{direction="inbound"}[5m])) > 2 * (sum by (service, namespace) (rate(mesh_requests_total{direction="inbound"}[5m] offset 1d))) and sum by (service, namespace) (rate(mesh_requests_total{direction="inbound"}[5m] offset 1d)) > 0',
  ],
  [
    'Lower',
    'sum by (service, namespace) (rate(mesh_requests_total{direction="inbound"}[5m])) < 0.5 * (sum by (service, namespace) (rate(mesh_requests_total{direction="inbound"}[5m] offset 1d)))',
  ],
])('%s', (name, expression) => {
  expect(rules().get(name)?.expr).toBe(expression);
});

test('labels and annotations in the spelling of Prometheus', () => {
  expect(rules().get('Cleared')).toMatchObject({
    labels: { severity: 'page', team: 'mesh' },
    annotations: { summary: '{{ $labels.service }}: {{ $value | humanize }} of ' },
  });
});

test('promtool takes the built-in rules', () => {
  const text = prometheusRuleFile({ rules: rulesOf({ defaults: true, rules: [] }), buckets: [0.5] });
  const file = join(mkdtempSync(join(tmpdir(), 'sidelight-rules-')), 'rules.yaml');
  writeFileSync(file, text);
  const { status, stdout } = spawnSync('promtool', ['check', 'rules', file], { encoding: 'utf8' });
  expect([status, stdout]).toEqual([0, expect.stringContaining('3 rules found')]);
  expect(text).toContain('expr: mesh_sidecar_up == 0');
  expect(text).toContain('# ServiceSilent is left out: ');
});
