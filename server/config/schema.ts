import { z } from 'zod';
import { alertsSchema } from './alerts-schema.ts';
import { discovery } from './discovery-fields.ts';
import { choiceField, countField, durationField, sizeField, switchField } from './fields.ts';
import { bucketsField, patternField, serviceTemplateField } from './mesh-fields.ts';
import { otlpSchema } from './otlp-schema.ts';
import { authField, tlsField } from './reach-fields.ts';
import { remoteWriteField } from './remote-write-fields.ts';
import { sampleRule } from './sample-fields.ts';
import { webAuthField } from './web-auth-fields.ts';
import {
  externalUrlField,
  fileField,
  hostPatternField,
  listenField,
  responseHeadersField,
  traceUrlField,
} from './web-fields.ts';
import { webTlsField } from './web-tls-fields.ts';

export const DEFAULT_INTERVAL = '15s';

/** How long each tier is kept where nothing else is asked for. */
export const DEFAULT_RETENTION = { raw: '2h', '1m': '2d', '10m': '30d', '1h': '400d' } as const;

/** A tier must outlive the step of the tier that is made from it, twice over, or counts would be lost. */
const retention = z.strictObject({
  raw: durationField({ min: '2m', max: '10y' }).prefault(DEFAULT_RETENTION.raw).describe('Every scrape, by instance.'),
  '1m': durationField({ min: '20m', max: '10y' })
    .prefault(DEFAULT_RETENTION['1m'])
    .describe('Steps of a minute, by instance.'),
  '10m': durationField({ min: '2h', max: '10y' })
    .prefault(DEFAULT_RETENTION['10m'])
    .describe('Steps of ten minutes, instances summed.'),
  '1h': durationField({ min: '1h', max: '100y' })
    .prefault(DEFAULT_RETENTION['1h'])
    .describe('Steps of an hour, instances summed.'),
});

const scrape = z.strictObject({
  interval: durationField({ min: '100ms', max: '1h' })
    .prefault(DEFAULT_INTERVAL)
    .describe('Time between two scrapes of a target.'),
  timeout: durationField({ min: '10ms', max: '1h' })
    .optional()
    .describe(
      'Longest time a scrape may take, at most the interval. By default 10s, or the interval if that is shorter.',
    ),
  body_limit: sizeField({ min: '1KiB', max: '1GiB' }).prefault('32MiB').describe('Largest answer of a target.'),
  series_limit: countField({ min: 1, max: 10_000_000 })
    .prefault(20_000)
    .describe('Most series taken from one target; above it the target is down.'),
  concurrency: countField({ min: 1, max: 10_000 }).prefault(256).describe('Most scrapes under way at once.'),
  zones_every: countField({ min: 0, max: 1_000_000 })
    .prefault(4)
    .describe('At every how many scrapes requests from zone to zone are asked for; 0: never.'),
  slow_down: switchField()
    .prefault(true)
    .describe(
      'Scrape a target less often, down to once a minute, while answers take over a fifth of the interval or time out.',
    ),
  tls: tlsField().optional().describe('TLS towards targets at https addresses, where their entry has no `tls`.'),
  auth: authField().optional().describe('What targets are sent to let us in, where their entry has no `auth`.'),
  allow_link_local: switchField()
    .prefault(false)
    .describe('Scrape link-local addresses too (169.254.0.0/16, fe80::/10), where clouds keep their metadata.'),
  clusters_every: countField({ min: 0, max: 10_000 })
    .prefault(5)
    .describe('Ask a target for /clusters after every so many scrapes, where it adds something; 0 is never.'),
});

const peer = z.strictObject({
  match: patternField('a pattern such as "^(.+)_v2$"').describe('RE2 pattern for the whole name of a cluster.'),
  service: serviceTemplateField().describe('Name of the service behind it; $1 is the first group of the pattern.'),
});

/** Everything that may stand in the configuration file, with its default, as it is written there. */
export const configSchema = z.strictObject({
  scrape: scrape.prefault({}).describe('How targets are asked.'),
  discovery: discovery.prefault({}).describe('Where targets come from.'),
  peers: z
    .array(peer)
    .prefault([])
    .describe('Names services from clusters, before the built-in rules; the first match wins.'),
  local: z
    .array(patternField('a pattern such as "^my_app$"'))
    .prefault([])
    .describe('RE2 patterns of clusters that are the application behind the sidecar.'),
  storage: z
    .strictObject({
      path: fileField('data/sidelight.db')
        .prefault('data/sidelight.db')
        .describe('The database; :memory: keeps it until the process ends.'),
      retention: retention.prefault({}).describe('How long each resolution is kept.'),
      max_size: sizeField({ min: '1MiB', max: '1024TiB' }).prefault('10GiB').describe('Largest size of the database.'),
    })
    .prefault({})
    .describe('What is kept.'),
  exporter: z
    .strictObject({
      level: choiceField('service', 'instance')
        .prefault('instance')
        .describe('Whether /metrics tells instances apart.'),
      buckets: bucketsField()
        .prefault([0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10])
        .describe('Upper bounds in seconds of mesh_request_duration_seconds.'),
      keep: z.array(sampleRule).prefault([]).describe('If there are any: only the samples that one of them names.'),
      drop: z.array(sampleRule).prefault([]).describe('Samples that are left out.'),
      series_limit: countField({ min: 1, max: 100_000_000 })
        .prefault(2_000_000)
        .describe('Most mesh series of /metrics; above it there is no answer, with the reason.'),
    })
    .prefault({})
    .describe('What Prometheus gets.'),
  alerts: alertsSchema.prefault({}).describe('Who is told when.'),
  remote_write: remoteWriteField()
    .prefault([])
    .describe('Receivers that are sent what /metrics tells: Prometheus, Mimir, Thanos, VictoriaMetrics.'),
  otlp: otlpSchema.prefault({}).describe('Whom metrics are pushed to.'),
  web: z
    .strictObject({
      listen: listenField()
        .prefault('127.0.0.1:9191')
        .describe('Address of dashboard, API and /metrics; :9191 is all interfaces.'),
      external_url: externalUrlField().prefault('').describe('Address under which users reach it.'),
      trace_url: traceUrlField()
        .prefault('')
        .describe(
          'Link to traces, with {service}, and {from} and {to} in microseconds (Jaeger) or {from_ms} and {to_ms} in milliseconds (Zipkin, Grafana Tempo).',
        ),
      config_file: fileField('web.yml')
        .optional()
        .describe(
          'A web configuration file of Prometheus, with TLS and users, in place of `tls` and `auth.basic_auth_users`.',
        ),
      auth: webAuthField().optional().describe('Who is let in; without it, everybody.'),
      tls: webTlsField().optional().describe('TLS of this port; without it, plain HTTP.'),
      allowed_hosts: z
        .array(hostPatternField())
        .max(100)
        .prefault([])
        .describe(
          'Names by which browsers may ask; `*.example.com` is all below it, `*` all. By default all, but on a loopback address only localhost, loopback addresses and the host of external_url.',
        ),
      headers: responseHeadersField()
        .prefault({})
        .describe(
          'Response headers in place of the built-in ones: Content-Security-Policy, X-Frame-Options, X-Content-Type-Options, X-XSS-Protection, Strict-Transport-Security (sent over TLS only).',
        ),
      limits: z
        .strictObject({
          connections: countField({ min: 10, max: 100_000 }).prefault(2000).describe('Most connections at once.'),
          requests_per_client: countField({ min: 1, max: 10_000 })
            .prefault(32)
            .describe('Most answers of the API and /metrics that one client address may wait for at once.'),
          streams_per_client: countField({ min: 1, max: 10_000 })
            .prefault(100)
            .describe('Most event streams (open dashboards) of one client address.'),
        })
        .prefault({})
        .describe('What clients may ask.'),
    })
    .prefault({})
    .describe('Dashboard, API and /metrics.'),
  log: z
    .strictObject({
      level: choiceField('trace', 'debug', 'info', 'warn', 'error')
        .prefault('info')
        .describe('Least level that is logged.'),
      format: choiceField('text', 'json').prefault('text').describe('Form of log lines.'),
    })
    .prefault({})
    .describe('Logs, on standard error.'),
});

/** What the schema makes of a file: every default filled in, units as in `Config`, names as in the file. */
export type WrittenConfig = z.output<typeof configSchema>;
