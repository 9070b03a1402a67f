import type { BadFile } from '../bad-files.ts';

export const OUTPUT: readonly BadFile[] = [
  {
    name: 'a path that begins with a colon',
    yaml: 'storage: { path: ":memry:" }\n',
    errors: ['1: storage.path: ":memry:" is not a file; write a path such as data/sidelight.db, or :memory:'],
  },
  {
    name: 'a folder as a database',
    yaml: 'storage: { path: data/ }\n',
    errors: ['1: storage.path: "data/" is a folder; write a file in it'],
  },
  {
    name: 'an empty path',
    yaml: 'storage: { path: "" }\n',
    errors: ['1: storage.path: "" is not a file\'s path; write data/sidelight.db'],
  },
  {
    name: 'a path that is a list',
    yaml: 'storage: { path: [] }\n',
    errors: ["1: storage.path: expected a file's path such as data/sidelight.db, found a list"],
  },
  {
    name: 'a retention',
    yaml: 'storage:\n  retention:\n    raw: 1m\n    1m: 5\n    2m: 1d\n',
    errors: [
      '3: storage.retention.raw: 1m is too little; write 2m or more',
      '4: storage.retention.1m: 5 has no unit; write 5s for seconds, or 5m',
      '5: storage.retention.2m: unknown key; known here: raw, 1m, 10m, 1h',
    ],
  },
  {
    name: 'a level of the exporter',
    yaml: 'exporter: { level: pod }\n',
    errors: ['1: exporter.level: "pod" is not one of service, instance'],
  },
  {
    name: 'no buckets',
    yaml: 'exporter: { buckets: [] }\n',
    errors: ['1: exporter.buckets: 0 buckets; write 1 to 100'],
  },
  {
    name: 'buckets that are a number',
    yaml: 'exporter: { buckets: 5 }\n',
    errors: ['1: exporter.buckets: expected a list of seconds such as [0.1, 0.5, 1], found the number 5'],
  },
  {
    name: 'each kind of bad bucket',
    yaml: 'exporter:\n  buckets:\n    - 0\n    - 1\n    - 0.5\n    - 250ms\n    - .inf\n    - .nan\n    - -1\n',
    errors: [
      '3: exporter.buckets[0]: 0 is not a positive number of seconds',
      '5: exporter.buckets[2]: 0.5 is not above 1 before it; list buckets in ascending order',
      '6: exporter.buckets[3]: expected a number of seconds (0.25 is 250 ms), found the text "250ms"',
      '7: exporter.buckets[4]: the bucket +Inf is always there; leave it out',
      '8: exporter.buckets[5]: NaN is not a positive number of seconds',
      '9: exporter.buckets[6]: -1 is not a positive number of seconds',
    ],
  },
  {
    name: 'a port to listen on',
    yaml: 'web: { listen: "127.0.0.1:70000" }\n',
    errors: ['1: web.listen: port 70000 is out of range; a port is 0 to 65535'],
  },
  {
    name: 'a port only',
    yaml: 'web: { listen: 9191 }\n',
    errors: ['1: web.listen: 9191 has no colon; write 127.0.0.1:9191, or :9191 for all interfaces'],
  },
  {
    name: 'no port',
    yaml: 'web: { listen: localhost }\n',
    errors: ['1: web.listen: "localhost" is not host:port; write 127.0.0.1:9191, [::1]:9191 or :9191'],
  },
  {
    name: 'IPv6 without brackets',
    yaml: 'web: { listen: "::1:9191" }\n',
    errors: ['1: web.listen: "::1:9191" is not host:port; write 127.0.0.1:9191, [::1]:9191 or :9191'],
  },
  {
    name: 'a host',
    yaml: 'web: { listen: "*:9191" }\n',
    errors: ['1: web.listen: "*" is not a host name or an IP address; write 127.0.0.1:9191'],
  },
  {
    name: 'a list to listen on',
    yaml: 'web: { listen: [":9191"] }\n',
    errors: ['1: web.listen: expected an address such as "127.0.0.1:9191", found a list'],
  },
  {
    name: 'an external address',
    yaml: 'web: { external_url: sidelight.example.com }\n',
    errors: [
      '1: web.external_url: "sidelight.example.com" is not a web address; write https://sidelight.example.com/path',
    ],
  },
  {
    name: 'an external address with a query',
    yaml: 'web: { external_url: "https://a/?b" }\n',
    errors: ['1: web.external_url: only scheme, host, port and path are allowed; leave out user, password, ? and #'],
  },
  {
    name: 'a link to traces',
    yaml: 'web: { trace_url: jaeger }\n',
    errors: [
      '1: web.trace_url: "jaeger" is not a web address; write https://jaeger.example.com/search?service={service}',
    ],
  },
  {
    name: 'a place in a link to traces',
    yaml: 'web: { trace_url: "https://jaeger/?s={name}" }\n',
    errors: ['1: web.trace_url: {name} stands for nothing; use {service}, {from}, {to}, {from_ms} and {to_ms}'],
  },
  {
    name: 'a log level',
    yaml: 'log: { level: verbose }\n',
    errors: ['1: log.level: "verbose" is not one of trace, debug, info, warn, error'],
  },
  {
    name: 'a log format',
    yaml: 'log: { format: 1 }\n',
    errors: ['1: log.format: the number 1 is not one of text, json'],
  },
  {
    name: 'each key of otlp',
    yaml: `otlp:
  endpoint: "127.0.0.1:4318"
  protocol: http/json
  temporality: both
  interval: 10ms
  timeout: 3
  histograms: classic
  compression: zstd
  headers: { good: "two\\nlines" }
  header_files: { x-api-key: "" }
  traces: maybe
`,
    errors: [
      '2: otlp.endpoint: "127.0.0.1:4318" is not a web address; write http://127.0.0.1:4318',
      '3: otlp.protocol: "http/json" is not one of http/protobuf, grpc',
      '4: otlp.temporality: "both" is not one of cumulative, delta',
      '5: otlp.interval: 10ms is too little; write 1s or more',
      '6: otlp.timeout: 3 has no unit; write 3s for seconds, or 3m',
      '7: otlp.histograms: "classic" is not one of exponential, explicit',
      '8: otlp.compression: "zstd" is not one of gzip, none',
      '9: otlp.headers.good: only printable ASCII characters are possible',
      '10: otlp.header_files.x-api-key: "" is not a file\'s path; write api-key',
      '11: otlp.traces: expected true or false, found the text "maybe"',
    ],
  },
  {
    name: 'a name of a header',
    yaml: 'otlp: { headers: { "bad name": a } }\n',
    errors: ['1: otlp.headers."bad name": "bad name" is not a header\'s name; write x-api-key'],
  },
  {
    name: 'secrets in the address of otlp',
    yaml: 'otlp: { endpoint: "http://user:secret@127.0.0.1:4318" }\n',
    errors: ['1: otlp.endpoint: leave out user, password, ? and #; secrets go into headers, header_files or auth'],
  },
];
