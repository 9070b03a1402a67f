import type { BadFile } from '../bad-files.ts';

const rule = (fields: string) => `alerts:\n  rules:\n    - { name: A, ${fields} }\n`;
const at = (key: string) => `3: alerts.rules[0]${key === '' ? '' : `.${key}`}:`;
const CONDITIONS = 'write signal with above or below, signal with against and factor, or slo';

export const ALERTS: readonly BadFile[] = [
  {
    name: 'a rule without a name',
    yaml: 'alerts:\n  rules:\n    - { signal: latency_p99, above: 1s }\n',
    errors: [`${at('name')} missing; write SlowService`],
  },
  {
    name: 'a name of an alert',
    yaml: 'alerts:\n  rules:\n    - { name: "{x}", signal: failures, above: 1 }\n',
    errors: [
      `${at('name')} "{x}" is not a name; use a letter, then letters, digits, spaces, _, -, . and :, at most 100`,
    ],
  },
  {
    name: 'two rules of one name',
    yaml: 'alerts:\n  rules:\n    - { name: A, signal: failures, above: 1 }\n    - { name: A, signal: retries, above: 1 }\n',
    errors: ['4: alerts.rules[1].name: "A" is the name of another rule, on line 3; choose another name'],
  },
  {
    name: 'a rule that watches nothing',
    yaml: rule('for: 1m'),
    errors: [`${at('')} the rule watches nothing; ${CONDITIONS}`],
  },
  {
    name: 'no threshold',
    yaml: rule('signal: failures'),
    errors: [`${at('')} the rule has no threshold; ${CONDITIONS}`],
  },
  {
    name: 'a signal',
    yaml: rule('signal: latency_p98, above: 1s'),
    errors: [`${at('signal')} "latency_p98" is not a signal; did you mean latency_p90?`],
  },
  {
    name: 'a threshold without a unit',
    yaml: rule('signal: latency_p99, above: 500'),
    errors: [`${at('above')} "500" has no unit; write 500ms`],
  },
  {
    name: 'a floor without a comparison',
    yaml: rule('signal: failures, above: 1, floor: 2'),
    errors: [`${at('floor')} only a comparison has a floor; remove it, or write against and factor`],
  },
  {
    name: 'the floor of a comparison that looks for what is low',
    yaml: rule('signal: failures, against: 1d, factor: 0.5, floor: 2'),
    errors: [`${at('floor')} a comparison with a factor below 1 has no floor; remove it`],
  },
  {
    name: 'a floor without its unit',
    yaml: rule('signal: latency_p99, against: 1d, factor: 2, floor: 500'),
    errors: [`${at('floor')} "500" has no unit; write 500ms`],
  },
  {
    name: 'a share without a unit',
    yaml: rule('signal: error_rate, above: 0.01'),
    errors: [`${at('above')} "0.01" has no unit; write 1%`],
  },
  {
    name: 'a threshold with the unit of another signal',
    yaml: rule('signal: request_rate, below: 5%'),
    errors: [`${at('below')} "5%" is no threshold of request_rate; write 100/s`],
  },
  {
    name: 'a share above all',
    yaml: rule('signal: error_rate, above: 101%'),
    errors: [`${at('above')} "101%" is above 100 %`],
  },
  {
    name: 'a threshold that is none',
    yaml: rule('signal: failures, above: many'),
    errors: [`${at('above')} "many" is not a threshold; write 500ms, 1%, 100/s, 10MiB/s, 20`],
  },
  {
    name: 'a negative threshold',
    yaml: rule('signal: failures, above: -1'),
    errors: [`${at('above')} expected a threshold, found the number -1; write 500ms, 1%, 100/s, 10MiB/s, 20`],
  },
  {
    name: 'above and below',
    yaml: rule('signal: failures, above: 1, below: 5'),
    errors: [`${at('below')} above and below exclude each other; make two rules`],
  },
  {
    name: 'clear_at on the wrong side',
    yaml: rule('signal: latency_p99, above: 1s, clear_at: 2s'),
    errors: [`${at('clear_at')} latency_p99 would fire and end at once; write at most what above is`],
  },
  {
    name: 'half a comparison',
    yaml: rule('signal: latency_p99, against: 1d'),
    errors: [`${at('against')} against and factor belong together; write both, such as against: 1d and factor: 2`],
  },
  {
    name: 'a comparison with a threshold',
    yaml: rule('signal: latency_p99, against: 1d, factor: 2, above: 1s'),
    errors: [`${at('above')} a comparison has no threshold; remove this, or against and factor`],
  },
  {
    name: 'a factor',
    yaml: rule('signal: latency_p99, against: 1d, factor: 1'),
    errors: [`${at('factor')} expected a positive number other than 1 such as 2, found the number 1`],
  },
  {
    name: 'an objective of everything',
    yaml: rule('slo: { objective: 100% }'),
    errors: [`${at('slo.objective')} 100% leaves no request that may fail; write less than 100%, such as 99.9%`],
  },
  {
    name: 'an objective without a unit',
    yaml: rule('slo: { objective: "0.999" }'),
    errors: [`${at('slo.objective')} "0.999" is not a share; write 99.9%`],
  },
  {
    name: 'an objective that no bin can tell',
    yaml: rule('slo: { objective: 99.9%, good: "latency < 333ms" }'),
    errors: [
      `${at('slo.good')} Envoy does not tell requests below 333ms from those above: its bin goes from 330ms to 340ms; write "latency < 330ms" or "latency < 340ms"`,
    ],
  },
  {
    name: 'an objective above all bins',
    yaml: rule('slo: { objective: 99.9%, good: "latency < 20d" }'),
    errors: [`${at('slo.good')} 20d is above what Envoy tells apart; write "latency < 11d11h" or less`],
  },
  {
    name: 'an objective and a threshold',
    yaml: rule('slo: { objective: 99% }, above: 1s'),
    errors: [`${at('above')} an objective has no threshold; remove this, or slo`],
  },
  {
    name: 'what is good',
    yaml: rule('slo: { objective: 99%, good: fast }'),
    errors: [`${at('slo.good')} "fast" is not success or a latency; write success or "latency < 300ms"`],
  },
  {
    name: 'a label to tell apart by',
    yaml: rule('signal: failures, above: 1, by: [pod]'),
    errors: [`${at('by[0]')} "pod" is not one of service, namespace, region, zone, instance, peer`],
  },
  {
    name: 'a pattern',
    yaml: rule('signal: failures, above: 1, match: { service: "(" }'),
    errors: [`${at('match.service')} "(" is not an RE2 pattern: missing closing ): \`(\``],
  },
  {
    name: 'a template',
    yaml: rule('signal: failures, above: 1, by: [service], annotations: { summary: "{{ .labels.zone }}" }'),
    errors: [
      `${at('annotations.summary')} {{ .labels.zone }} names a label that the alert does not have; it has service, alertname, severity`,
    ],
  },
  {
    name: 'a template that does not end',
    yaml: rule('signal: failures, above: 1, annotations: { summary: "{{ .labels.service }" }'),
    errors: [`${at('annotations.summary')} a {{ or }} without its counterpart`],
  },
  {
    name: 'a name of an annotation that an Alertmanager does not take',
    yaml: rule('signal: failures, above: 1, annotations: { runbook-url: x }'),
    errors: [`${at('annotations.runbook-url')} not a label name; use letters, digits and _, and no digit first`],
  },
  {
    name: 'labels that alerts have already',
    yaml: rule('signal: failures, above: 1, by: [service], labels: { alertname: B, severity: critical, service: x }'),
    errors: [
      `${at('labels.alertname')} it is the name of the rule; remove it`,
      `${at('labels.severity')} write severity beside labels, not in them`,
      `${at('labels.service')} alerts get it from what they are about; choose another name, or remove it`,
    ],
  },
  {
    name: 'a pattern of a label that the rule does not tell apart',
    yaml: rule('signal: failures, above: 1, match: { region: eu }'),
    errors: [
      `${at('match.region')} nothing would ever match, as the rule does not tell apart by region; write by: [service, namespace, region]`,
    ],
  },
  {
    name: 'an objective above everything',
    yaml: rule('slo: { objective: 100.5% }'),
    errors: [`${at('slo.objective')} 100.5% leaves no request that may fail; write less than 100%, such as 99.9%`],
  },
  {
    name: 'receivers',
    yaml: 'alerts:\n  alertmanagers: [{ url: "alertmanager:9093" }]\n  webhooks: [{ url: "http://u:p@hooks" }, {}]\n',
    errors: [
      '2: alerts.alertmanagers[0].url: "alertmanager:9093" is not a web address; write http://127.0.0.1:9093',
      '3: alerts.webhooks[0].url: leave out user and password; write them as headers',
      '3: alerts.webhooks[1].url: missing; write http://127.0.0.1:9093',
    ],
  },
  {
    name: 'an unknown key of a rule',
    yaml: rule('signal: failures, above: 1, threshold: 5'),
    errors: [
      `${at('threshold')} unknown key; known here: name, signal, above, below, clear_at, against, factor, floor, slo, by, direction, match, window, for, keep_firing_for, min_requests, severity, labels, annotations`,
    ],
  },
  {
    name: 'a window that is longer than anything is kept',
    yaml: `${rule('signal: failures, above: 1, window: 30d')}storage: { retention: { 10m: 10d, 1h: 20d } }\n`,
    errors: [
      `${at('window')} 30d is longer than figures are kept, 20d (storage.retention.1h, on line 4); look back less far, or keep more`,
    ],
  },
  {
    name: 'a comparison with what is not kept any more',
    yaml: rule('signal: requests, against: 400d, factor: 2, window: 1h'),
    errors: [
      `${at('against')} 400d ago with a window of 1h is longer than figures are kept, 400d (storage.retention.1h, the default); look back less far, or keep more`,
    ],
  },
  {
    name: 'a comparison with steps that are longer than its window',
    yaml: rule('signal: latency_p99, against: 1w, factor: 2'),
    errors: [
      `${at('window')} 5m is shorter than the steps of 10m in which figures of 7d ago are kept; write 10m, or keep 1m for longer than 7d, not 2d (storage.retention.1m, the default)`,
    ],
  },
  {
    name: 'a comparison by the minute with hours',
    yaml: `storage: { retention: { 10m: 5d } }\n${rule('signal: latency_p99, against: 1w, factor: 2, window: 10m')}`,
    errors: [
      '4: alerts.rules[0].window: 10m is shorter than the steps of 1h in which figures of 7d ago are kept; write 1h, or keep 10m for longer than 7d, not 5d (storage.retention.10m, on line 1)',
    ],
  },
  {
    name: 'a window of instances, of which only sums are kept',
    yaml: rule('signal: failures, above: 1, by: [instance], window: 3d'),
    errors: [
      `${at('window')} 3d is longer than instances are told apart, 2d (storage.retention.1m, the default); look back less far, or keep more`,
    ],
  },
  {
    name: 'an objective of instances',
    yaml: rule('slo: { objective: 99% }, by: [service, instance]'),
    errors: [
      `${at('slo')} an objective looks back 3d, which is longer than instances are told apart, 2d (storage.retention.1m, the default); look back less far, or keep more`,
    ],
  },
  {
    name: 'an objective over more than is kept',
    yaml: `storage: { retention: { 10m: 10d, 1h: 20d } }\n${rule('slo: { objective: 99% }')}`,
    errors: [
      '4: alerts.rules[0].slo.period: 30d is longer than figures are kept, 20d (storage.retention.1h, on line 1); look back less far, or keep more',
    ],
  },
];
