import { expect, test } from 'vitest';
import { fillTemplate, templateProblem } from '../../server/model/template.ts';

const VALUES = {
  labels: { service: 'checkout', region: 'eu' },
  value: '612 ms',
  threshold: '500 ms',
  requests: '1,204',
  link: 'https://sidelight/services/checkout',
};
const LABELS = Object.keys(VALUES.labels);

test.each([
  ['', ''],
  ['no placeholder { } % $1', 'no placeholder { } % $1'],
  ['{{ .labels.service }} in {{.labels.region}}', 'checkout in eu'],
  ['{{ $labels.service }}: {{ $value }}', 'checkout: 612 ms'],
  [
    'p99 {{ .value }} > {{ .threshold }} of {{ .requests }}: {{ .link }}',
    'p99 612 ms > 500 ms of 1,204: https://sidelight/services/checkout',
  ],
])('%j becomes %j', (template, text) => {
  expect(templateProblem(template, LABELS)).toBeUndefined();
  expect(fillTemplate(template, VALUES)).toBe(text);
});

test('what is filled in is not read again', () => {
  const labels = { service: '{{ .value }}$&' };
  expect(fillTemplate('{{ .labels.service }}', { ...VALUES, labels })).toBe('{{ .value }}$&');
});

test.each([
  ['{{ .labels.zone }}', '{{ .labels.zone }} names a label that the alert does not have; it has service, region'],
  ['{{ .labels.service', 'a {{ or }} without its counterpart'],
  ['}} {{', 'a {{ or }} without its counterpart'],
  [
    '{{ .value | humanize }}',
    '{{ .value | humanize }} is not known here; write {{ .labels.NAME }}, {{ .value }}, {{ .threshold }}, {{ .requests }}, {{ .link }}',
  ],
  [
    '{{}}',
    '{{}} is not known here; write {{ .labels.NAME }}, {{ .value }}, {{ .threshold }}, {{ .requests }}, {{ .link }}',
  ],
])('%j is refused', (template, problem) => {
  expect(templateProblem(template, LABELS)).toBe(problem);
});
