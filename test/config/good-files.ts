import { resolve } from 'node:path';
import { expect } from 'vitest';

import { ENVOY_CONTAINERS } from '../../server/config/kubernetes-fields.ts';

/** One case per form that is accepted: the text of a file and what must be in the configuration. */
export interface GoodFile {
  readonly name: string;
  readonly yaml: string;
  readonly config: object;
}

const staticOf = (...groups: object[]) => ({ discovery: { static: groups } });

export const GOOD_FILES: readonly GoodFile[] = [
  { name: 'a file of comments', yaml: '# nothing yet\n', config: { scrape: { intervalMs: 15_000 } } },
  { name: 'an empty map', yaml: '{}\n', config: { web: { port: 9191 } } },
  { name: 'JSON', yaml: '{"scrape": {"interval": "5s"}}', config: { scrape: { intervalMs: 5000, timeoutMs: 5000 } } },
  { name: 'Windows line ends', yaml: 'scrape:\r\n  interval: 5s\r\n', config: { scrape: { intervalMs: 5000 } } },
  {
    name: 'keys without values',
    yaml: 'scrape:\n  interval:\ndiscovery:\npeers: ~\nstorage: { retention: null }\n',
    config: {
      scrape: { intervalMs: 15_000 },
      discovery: { static: [] },
      peers: [],
      storage: { retentionMs: { raw: 7_200_000 } },
    },
  },
  {
    name: 'the whole scrape section',
    yaml: 'scrape: { interval: 1m30s, timeout: 1m30s, body_limit: 16MiB, series_limit: 5, concurrency: 1, zones_every: 0, slow_down: false, clusters_every: 0 }\n',
    config: {
      scrape: {
        intervalMs: 90_000,
        timeoutMs: 90_000,
        bodyLimitBytes: 16_777_216,
        seriesLimit: 5,
        concurrency: 1,
        zonesEvery: 0,
        slowDown: false,
        clustersEvery: 0,
      },
    },
  },
  { name: 'plain bytes', yaml: 'scrape: { body_limit: 65536 }\n', config: { scrape: { bodyLimitBytes: 65_536 } } },
  {
    name: 'every form of target',
    yaml: 'discovery:\n  static:\n    - targets: ["10.0.0.5:9901", "http://B:1", "https://b:1", "[::1]:1", "unix:/run/envoy.sock"]\n      labels: { service: checkout, region: eu-west-1 }\n',
    config: staticOf({
      targets: ['10.0.0.5:9901', 'b:1', 'https://b:1', '[::1]:1', 'unix:/run/envoy.sock'],
      labels: { service: 'checkout', region: 'eu-west-1' },
    }),
  },
  {
    name: 'Kubernetes, all by default, as the documentation has it, and all otherwise',
    yaml: 'discovery:\n  kubernetes:\n    - {}\n    - { kubeconfig: null, namespaces: [], selector: "", container: "envoy|istio-proxy", port: 9901, access: direct }\n    - { kubeconfig: /k, namespaces: [a, b], selector: "a, !b, c/d=e, f!=, g in (h, i), j notin (k), l > 5", access: proxy }\n',
    config: {
      discovery: {
        kubernetes: [
          { namespaces: [], selector: '', container: ENVOY_CONTAINERS, access: 'direct', relabel: [] },
          { namespaces: [], selector: '', container: 'envoy|istio-proxy', port: 9901, access: 'direct' },
          {
            kubeconfig: '/k',
            namespaces: ['a', 'b'],
            selector: 'a, !b, c/d=e, f!=, g in (h, i), j notin (k), l > 5',
            access: 'proxy',
          },
        ],
      },
    },
  },
  {
    name: 'label values as they were written',
    yaml: 'discovery:\n  static:\n    - targets: []\n      labels: { a: 1.10, b: true, c: 0x10, d: "q", e: , f: null, g: "null" }\n',
    config: staticOf({ targets: [], labels: { a: '1.10', b: 'true', c: '0x10', d: 'q', g: 'null' } }),
  },
  {
    name: 'an alias and a merge',
    yaml: 'discovery:\n  static:\n    - &eu { targets: ["a:1"], labels: &l { region: eu } }\n    - { <<: *eu, targets: ["b:1"] }\n    - { targets: ["c:1"], labels: { <<: [*l], zone: z } }\n',
    config: staticOf(
      { targets: ['a:1'], labels: { region: 'eu' } },
      { targets: ['b:1'], labels: { region: 'eu' } },
      { targets: ['c:1'], labels: { region: 'eu', zone: 'z' } },
    ),
  },
  {
    name: 'the naming rules',
    yaml: 'peers:\n  - { match: "^(.+)_v\\\\d+$", service: "$1" }\n  - { match: "(?P<a>x)-(y)", service: "$a-$$$2" }\nlocal: ["^my_app$"]\n',
    config: {
      peers: [
        { match: '^(.+)_v\\d+$', service: '$1' },
        { match: '(?P<a>x)-(y)', service: '$a-$$$2' },
      ],
      local: ['^my_app$'],
    },
  },
  {
    name: 'storage',
    yaml: 'storage: { path: /data/a.db, retention: { raw: 1h, 1m: 1d, 10m: 1w, 1h: 2y }, max_size: 1TiB }\n',
    config: {
      storage: {
        path: '/data/a.db',
        retentionMs: { raw: 3_600_000, '1m': 86_400_000, '10m': 604_800_000, '1h': 63_072_000_000 },
        maxSizeBytes: 1_099_511_627_776,
      },
    },
  },
  {
    name: 'the exporter',
    yaml: 'exporter: { level: service, buckets: [0.1, 1, 10] }\n',
    config: { exporter: { level: 'service', buckets: [0.1, 1, 10] } },
  },
  { name: 'all interfaces', yaml: 'web: { listen: ":80" }\n', config: { web: { host: '', port: 80 } } },
  { name: 'any free port', yaml: 'web: { listen: localhost:0 }\n', config: { web: { host: 'localhost', port: 0 } } },
  { name: 'IPv6', yaml: 'web: { listen: "[::1]:9191" }\n', config: { web: { host: '::1', port: 9191 } } },
  {
    name: 'links',
    yaml: 'web: { external_url: "https://a.example/mesh/", trace_url: "https://j/s?service={service}&start={from}&end={to}" }\n',
    config: {
      web: { externalUrl: 'https://a.example/mesh', traceUrl: 'https://j/s?service={service}&start={from}&end={to}' },
    },
  },
  {
    name: 'every mechanism',
    yaml: 'discovery:\n  file: [{ files: ["/sd/*.yaml", a.json] }]\n  http: [{ url: "http://sd/targets", refresh: 5m, source_auth: { username: a, password: b } }]\n  dns: [{ names: [Checkout.default.svc], port: 9901, servers: ["10.0.0.53", "::1", "[::1]:54"] }, { names: [a], type: SRV, port: 1 }]\n  targets_limit: 5\n',
    config: {
      discovery: {
        file: [{ files: ['/sd/*.yaml', expect.stringMatching(/^\/.*\/a\.json$/)], refreshMs: 60_000, relabel: [] }],
        http: [{ url: 'http://sd/targets', refreshMs: 300_000, sourceAuth: { username: 'a', password: 'b' } }],
        dns: [
          {
            names: ['checkout.default.svc'],
            type: 'A',
            port: 9901,
            refreshMs: 30_000,
            servers: ['10.0.0.53:53', '[::1]:53', '[::1]:54'],
          },
          { type: 'SRV', port: 0 },
        ],
        targetsLimit: 5,
      },
    },
  },
  {
    name: 'rules with their defaults',
    yaml: 'discovery: { relabel: [{ target_label: a, replacement: 1 }, { action: Keep, source_labels: [a], regex: b, separator: "" }] }\n',
    config: {
      discovery: {
        relabel: [
          { action: 'replace', sourceLabels: [], separator: ';', targetLabel: 'a', regex: '(.*)', replacement: '1' },
          { action: 'keep', sourceLabels: ['a'], separator: '', regex: 'b' },
        ],
      },
    },
  },
  {
    name: 'how targets are reached',
    yaml: 'scrape:\n  tls: { ca_file: ca.crt, cert_file: /a.crt, key_file: /a.key, server_name: envoy, insecure_skip_verify: true }\n  auth: { bearer_token_file: /token }\n  allow_link_local: true\ndiscovery: { static: [{ targets: [], tls: {}, auth: { username: a } }] }\n',
    config: {
      scrape: {
        tls: {
          caFile: expect.stringMatching(/^\/.*ca\.crt$/),
          certFile: '/a.crt',
          keyFile: '/a.key',
          serverName: 'envoy',
          insecureSkipVerify: true,
        },
        auth: { bearerTokenFile: '/token' },
        allowLinkLocal: true,
      },
      discovery: { static: [{ targets: [], tls: {}, auth: { username: 'a' } }] },
    },
  },
  {
    name: 'empty sections of a later version',
    yaml: 'alerts: { rules: [], webhooks: [] }\nremote_write: []\notlp: { endpoint: "" }\nscrape: { tls: {} }\ndiscovery: { dns: , relabel: [] }\nweb: { auth: ~ }\n',
    config: { web: { port: 9191 } },
  },
  {
    name: 'remote write',
    yaml: `remote_write:
  - { url: "http://mimir:9009/api/v1/push?token=a", headers: { X-Scope-OrgID: shop }, drop: [{ metric: "sidelight_.*" }] }
  - { url: "https://victoria/api/v1/write", name: victoria, auth: { username: a, password_file: secret }, timeout: 5s,
      interval: 1m, external_labels: { cluster: eu }, send_native_histograms: true,
      queue: { max_size: 1GiB, max_samples_per_send: 500, max_shards: 2 } }
`,
    config: {
      remoteWrite: [
        {
          name: 'mimir:9009',
          url: 'http://mimir:9009/api/v1/push?token=a',
          headers: { 'X-Scope-OrgID': 'shop' },
          timeoutMs: 30_000,
          keep: [],
          drop: [{ metric: 'sidelight_.*', labels: {} }],
          externalLabels: {},
          sendNativeHistograms: false,
          maxQueueBytes: 536_870_912,
          maxSamplesPerSend: 2000,
          maxShards: 4,
        },
        {
          name: 'victoria',
          auth: { username: 'a', passwordFile: expect.stringMatching(/^\/.*secret$/) },
          timeoutMs: 5000,
          intervalMs: 60_000,
          externalLabels: { cluster: 'eu' },
          sendNativeHistograms: true,
          maxQueueBytes: 1_073_741_824,
          maxSamplesPerSend: 500,
          maxShards: 2,
        },
      ],
    },
  },
  {
    name: 'alerts with a threshold, a comparison and an objective',
    yaml: `alerts:
  rules:
    - { name: SlowService, signal: latency_p99, by: [service, region], match: { service: "checkout|cart" }, above: 500ms,
        clear_at: 400ms, window: 5m, for: 2m, keep_firing_for: 5m, min_requests: 100, severity: page,
        annotations: { summary: "{{ .labels.service }} in {{ $labels.region }}: {{ .value }}" } }
    - { name: Slower, signal: latency_p99, against: 1d, factor: 2 }
    - { name: CheckoutBudget, slo: { objective: 99.9%, good: "latency < 300ms", period: 30d }, by: [service], min_requests: 100 }
    - { name: Retries, signal: retries, above: 20 }
  alertmanagers: [ { url: "http://127.0.0.1:9093" } ]
  webhooks: [ { url: "http://hooks/a", headers: { x-team: mesh }, secret_file: hook.secret } ]
`,
    config: {
      alerts: {
        defaults: false,
        intervalMs: 10_000,
        rules: [
          {
            name: 'SlowService',
            condition: { kind: 'threshold', signal: 'latency_p99', side: 'above', value: 500, clearAt: 400 },
            by: ['service', 'region'],
            direction: 'inbound',
            match: { service: 'checkout|cart' },
            windowMs: 300_000,
            forMs: 120_000,
            keepFiringForMs: 300_000,
            minRequests: 100,
            severity: 'page',
            labels: {},
            annotations: { summary: '{{ .labels.service }} in {{ $labels.region }}: {{ .value }}' },
          },
          {
            name: 'Slower',
            condition: { kind: 'comparison', signal: 'latency_p99', againstMs: 86_400_000, factor: 2 },
            by: ['service', 'namespace'],
            minRequests: 20,
          },
          {
            name: 'CheckoutBudget',
            condition: { kind: 'slo', objective: 0.999, good: { belowMs: 300 }, periodMs: 2_592_000_000 },
            minRequests: 100,
          },
          { name: 'Retries', condition: { signal: 'retries', value: 20, clearAt: 20 }, minRequests: 0 },
        ],
        alertmanagers: [{ url: 'http://127.0.0.1:9093/', headers: {} }],
        webhooks: [{ url: 'http://hooks/a', headers: { 'x-team': 'mesh' }, secretFile: resolve('hook.secret') }],
      },
    },
  },
  {
    name: 'who is let in to the product itself, and how',
    yaml: `web:
  auth:
    basic_auth_users: { "Ann A": "$2y$10$${'a'.repeat(53)}", bob: "$2b$12$${'b'.repeat(53)}" }
    roles: { bob: reload }
    bearer_tokens: [ { name: a, token_file: a.token }, { name: b, token_sha256: ${'AB'.repeat(32)}, role: reload } ]
    open_probes: true
  tls: { cert_file: /a.crt, key_file: a.key, client_auth_type: RequireAndVerifyClientCert, client_ca_file: ca.crt, min_version: TLS13,
    cipher_suites: [TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256], curve_preferences: [CurveP256] }
  allowed_hosts: [Mesh.Example.com, "*.mesh.test", "::1", "*"]
  headers: { X-Frame-Options: "" }
  limits: { requests_per_client: 5 }
`,
    config: {
      web: {
        auth: {
          users: [
            { name: 'Ann A', hash: `$2y$10$${'a'.repeat(53)}`, role: 'read' },
            { name: 'bob', hash: `$2b$12$${'b'.repeat(53)}`, role: 'reload' },
          ],
          tokens: [
            { name: 'a', tokenFile: resolve('a.token'), role: 'read' },
            { name: 'b', sha256: 'ab'.repeat(32), role: 'reload' },
          ],
          openProbes: true,
        },
        tls: {
          certFile: '/a.crt',
          keyFile: resolve('a.key'),
          clientAuthType: 'RequireAndVerifyClientCert',
          clientCaFile: resolve('ca.crt'),
          minVersion: 'TLSv1.3',
          maxVersion: 'TLSv1.3',
          cipherSuites: ['ECDHE-RSA-AES128-GCM-SHA256'],
          curves: ['prime256v1'],
        },
        allowedHosts: ['mesh.example.com', '*.mesh.test', '::1', '*'],
        headers: { 'X-Frame-Options': '' },
        limits: { connections: 2000, requestsPerClient: 5, streamsPerClient: 100 },
      },
    },
  },
];
