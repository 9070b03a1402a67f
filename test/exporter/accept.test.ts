import { expect, test } from 'vitest';
import { chooseMediaType } from '../../server/exporter/accept.ts';

const OPEN = 'application/openmetrics-text';

const PROTOBUF = 'application/vnd.google.protobuf';
const FAMILIES = 'proto=io.prometheus.client.MetricFamily';

test.each<[string | undefined, 'text' | 'openmetrics' | 'protobuf']>([
  [undefined, 'text'],
  ['', 'text'],
  ['*/*', 'text'],
  ['text/html', 'text'],
  ['nonsense;;q=,,/', 'text'],
  ['text/plain;version=0.0.4', 'text'],
  [OPEN, 'openmetrics'],
  [`${OPEN};version=1.0.0`, 'openmetrics'],
  [`${OPEN};version="1.0.0";charset=utf-8`, 'openmetrics'],
  [`${OPEN};version=0.0.1`, 'text'],
  [`${OPEN};q=0`, 'text'],
  [`${OPEN};q=0.5,text/plain;q=0.6`, 'text'],
  [`${OPEN};q=0.6,text/plain;q=0.5`, 'openmetrics'],
  [`text/plain;q=0.9,*/*;q=0.1`, 'text'],
  [`application/*;q=0.9,text/*;q=0.2`, 'openmetrics'],
  [`${OPEN};q=7,text/plain;q=0.1`, 'text'],
  [`${PROTOBUF};${FAMILIES};encoding=delimited`, 'protobuf'],
  [`${PROTOBUF}; ${FAMILIES}; encoding=delimited;q=0.6,${OPEN};version=1.0.0;q=0.5,*/*;q=0.1`, 'protobuf'],
  [`${PROTOBUF};${FAMILIES};encoding=text`, 'text'],
  [`${PROTOBUF};${FAMILIES};encoding=compact-text,${OPEN};q=0.3`, 'openmetrics'],
  [`${PROTOBUF};proto=another.Message;encoding=delimited`, 'text'],
  // Prometheus 2.42 and 3.15
  [`${OPEN};version=1.0.0,${OPEN};version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1`, 'openmetrics'],
  [
    `${OPEN};version=1.0.0;escaping=allow-utf-8;q=0.6,${OPEN};version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2`,
    'openmetrics',
  ],
  [`${'text/html,'.repeat(1000)}${OPEN}`, 'text'],
])('%s gets %s', (accept, format) => {
  expect(chooseMediaType(accept).format).toBe(format);
});
