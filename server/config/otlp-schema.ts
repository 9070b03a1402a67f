import { z } from 'zod';
import { choiceField, durationField, switchField, textField } from './fields.ts';
import { shown } from './problem.ts';
import { authField, tlsField } from './reach-fields.ts';
import { fileField, otlpEndpointField } from './web-fields.ts';

const HEADER_NAME = /^[\w!#$%&'*+.^`|~-]+$/;

/** Names are told with what would be right, as values are. */
function headersField<Value extends z.ZodType>(value: Value) {
  return z.record(z.string(), value).check((context) => {
    for (const name of Object.keys(context.value))
      if (!HEADER_NAME.test(name))
        context.issues.push({
          code: 'custom',
          path: [name],
          message: `${shown(name)} is not a header's name; write x-api-key`,
          input: name,
        });
  });
}

const headerValue = textField('a text', (text) =>
  /^[\x20-\x7e]*$/.test(text) ? { value: text } : { error: 'only printable ASCII characters are possible' },
);

/** Everything under `otlp`; what is not written is told by OpenTelemetry's variables. */
export const otlpSchema = z.strictObject({
  endpoint: otlpEndpointField()
    .prefault('')
    .describe(
      'Base address of a receiver of OTLP; /v1/metrics is added. Empty: OTEL_EXPORTER_OTLP_ENDPOINT, if it is set.',
    ),
  protocol: choiceField('http/protobuf', 'grpc')
    .optional()
    .describe('By default OTEL_EXPORTER_OTLP_PROTOCOL, or http/protobuf.'),
  interval: durationField({ min: '1s', max: '1h' })
    .optional()
    .describe('Time between two pushes. By default OTEL_METRIC_EXPORT_INTERVAL, or 60s.'),
  timeout: durationField({ min: '100ms', max: '5m' })
    .optional()
    .describe('Longest time an answer may take. By default OTEL_EXPORTER_OTLP_TIMEOUT, or 10s.'),
  temporality: choiceField('cumulative', 'delta')
    .optional()
    .describe(
      'Whether totals are told or what came since the last push. By default OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE, or cumulative.',
    ),
  histograms: choiceField('exponential', 'explicit')
    .optional()
    .describe(
      'Form of latencies; explicit has exporter.buckets. By default OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION, or exponential.',
    ),
  compression: choiceField('gzip', 'none').optional().describe('By default OTEL_EXPORTER_OTLP_COMPRESSION, or none.'),
  headers: headersField(headerValue).prefault({}).describe('Headers that are sent.'),
  header_files: headersField(fileField('api-key'))
    .prefault({})
    .describe('Files of headers’ values; read again when they change.'),
  tls: tlsField().optional().describe('TLS towards the receiver.'),
  auth: authField().optional().describe('What the receiver is sent to let us in.'),
  traces: switchField().prefault(true).describe('Send the traces of Sidelight itself there too.'),
});
