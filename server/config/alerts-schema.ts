import { z } from 'zod';
import { alertNameField, goodField, objectiveField, quantityField, signalField } from './alert-fields.ts';
import { choiceField, countField, durationField, field, secretField, switchField, textField } from './fields.ts';
import { labelNameField, labelsField, patternField } from './mesh-fields.ts';
import { described } from './problem.ts';
import { webAddressField } from './web-fields.ts';

/** Labels that alerts may be told apart by. */
export const ALERT_LABELS = ['service', 'namespace', 'region', 'zone', 'instance', 'peer'] as const;
export type AlertLabel = (typeof ALERT_LABELS)[number];

const MOST_RULES = 1000;
const MOST_RECEIVERS = 20;
const LONGEST_TEMPLATE = 2000;

const slo = z.strictObject({
  objective: objectiveField().describe('Share of requests that have to be good.'),
  good: goodField().prefault('success').describe('Which are good: success, or "latency < 300ms".'),
  period: durationField({ min: '1d', max: '400d' }).prefault('30d').describe('What the error budget is reckoned over.'),
});

const rule = z.strictObject({
  name: alertNameField().describe('Name of the alert.'),
  signal: signalField().optional().describe('What is watched, a signal of the API.'),
  above: quantityField().optional().describe('Fires above this, with its unit: 500ms, 1%, 100/s, 20.'),
  below: quantityField().optional().describe('Fires below this.'),
  clear_at: quantityField().optional().describe('Ends only at this or on its other side; by default at the threshold.'),
  against: durationField({ min: '1m', max: '400d' })
    .optional()
    .describe('Compares with as long ago, together with factor.'),
  factor: factorField().optional().describe('Fires above this many times the value of then; below 1: below it.'),
  floor: quantityField().optional().describe('Of a comparison: fires only above this too.'),
  slo: slo.optional().describe('An objective instead of a threshold: fires while its error budget burns too fast.'),
  by: z
    .array(choiceField(...ALERT_LABELS))
    .prefault(['service', 'namespace'])
    .describe('One alert for each of these.'),
  direction: choiceField('inbound', 'outbound')
    .prefault('inbound')
    .describe('What services received, or what they sent.'),
  match: z
    .record(choiceField(...ALERT_LABELS), patternField('a pattern such as "checkout|cart"'))
    .prefault({})
    .describe('RE2 patterns for the whole values of labels.'),
  window: durationField({ min: '10s', max: '30d' }).prefault('5m').describe('Time that the signal is worked out over.'),
  for: durationField({ min: '0s', max: '30d' })
    .prefault('0s')
    .describe('How long it must hold before the alert fires.'),
  keep_firing_for: durationField({ min: '0s', max: '30d' })
    .prefault('0s')
    .describe('How long it goes on firing after.'),
  min_requests: countField({ min: 0, max: 1_000_000_000 })
    .optional()
    .describe('Fewer requests in the window never fire; by default 20, and 0 for counts and rates.'),
  severity: textField('page', (text) =>
    /^[\w-]{1,50}$/.test(text) ? { value: text } : { error: 'use letters, digits, _ and -, at most 50' },
  )
    .prefault('page')
    .describe('Label severity of the alert.'),
  labels: labelsField().prefault({}).describe('More labels of the alert.'),
  annotations: z
    .record(labelNameField(), templateField())
    .prefault({})
    .describe('Texts, with {{ .labels.service }}, {{ .value }}, {{ .threshold }}, {{ .requests }} and {{ .link }}.'),
});

const headers = z
  .record(
    z.string(),
    secretField('a text', (value) => ({ value })),
  )
  .prefault({})
  .describe('Headers that are sent.');

/** Everything under `alerts`. */
export const alertsSchema = z.strictObject({
  defaults: switchField()
    .optional()
    .describe('Whether the built-in rules are on; by default while there are no rules.'),
  interval: durationField({ min: '1s', max: '1h' }).prefault('10s').describe('Time between two evaluations.'),
  rules: z.array(rule).max(MOST_RULES).prefault([]).describe('What is watched.'),
  alertmanagers: z
    .array(
      z.strictObject({ url: webAddressField().describe('Address of an Alertmanager; each one is told.'), headers }),
    )
    .max(MOST_RECEIVERS)
    .prefault([])
    .describe('Alertmanagers that are told.'),
  webhooks: z
    .array(
      z.strictObject({
        url: webAddressField().describe('Address that alerts are posted to as JSON.'),
        headers,
        secret_file: textField('hook.secret', (value) => ({ value }))
          .optional()
          .describe('File with the key that signs each post, in X-Sidelight-Signature.'),
      }),
    )
    .max(MOST_RECEIVERS)
    .prefault([])
    .describe('Addresses that are told.'),
});

function factorField() {
  return field((written) =>
    typeof written === 'number' && written > 0 && written !== 1 && Number.isFinite(written)
      ? { value: written }
      : { error: `expected a positive number other than 1 such as 2, found ${described(written)}` },
  );
}

function templateField() {
  return textField('"{{ .labels.service }} is slow: {{ .value }}"', (value) =>
    value.length <= LONGEST_TEMPLATE
      ? { value }
      : { error: `${value.length} characters; at most ${LONGEST_TEMPLATE} are allowed` },
  );
}
