/** JSON Schemas of the answers: contract.ts as data, for whoever reads the API by machine. */

import { CODE_CLASSES, REASON_COUNTERS } from '../model/flow.ts';
import { TIERS } from '../store/store.ts';
import { MAX_ROWS } from './heatmap.ts';
import { alertSchemas } from './openapi-alerts.ts';
import {
  count,
  countOrNull,
  failureSource,
  health,
  labels,
  listOf,
  milliseconds,
  object,
  part,
  ref,
  role,
  type Schema,
  share,
  text,
  time,
  timeOrNull,
  wholeNumber,
} from './openapi-parts.ts';

const service = { service: text, namespace: { ...text, description: 'Empty where it is not known.' } };

/** When and over what an answer's figures are. */
const range = {
  at: { ...time, description: 'End of the window, Unix milliseconds.' },
  windowMs: { ...wholeNumber, description: 'Length of the window in milliseconds.' },
  window: { ...text, description: 'The window as asked for, such as 5m.' },
  offsetMs: { ...wholeNumber, description: 'How much earlier than the window the figures are from.' },
};

const tiers = {
  tiers: { ...listOf(ref('TierName')), description: 'Where the figures are from, finest first.' },
};

/** Of answers over steps. */
const steps = {
  step: { ...wholeNumber, description: 'Length of a step in milliseconds.' },
  from: time,
  to: time,
  offsetMs: { ...wholeNumber, description: 'How much earlier than their times the values are from.' },
  ...tiers,
};

const figures = {
  requests: { ...countOrNull, description: 'Completed requests (2xx to 5xx) in the window.' },
  requestRate: { ...countOrNull, description: 'Per second.' },
  successRate: share,
  errorRate: { ...share, description: 'Share of 5xx and of gRPC failures; a 4xx is a success of the service.' },
  codeClasses: {
    anyOf: [object(Object.fromEntries(CODE_CLASSES.map((name) => [name, count]))), { type: 'null' }],
    description:
      'Requests in the window by class of HTTP status; less than all where only /clusters tells to whom requests went, and not of which class they were.',
  },
  latencyMs: ref('LatencyMs'),
  latencySamples: count,
  precision: ref('Precision'),
  timeouts: { ...count, description: 'Requests that ran into a timeout; they count as slower than every sample.' },
  retries: count,
  activeRequests: { ...countOrNull, description: 'In flight at the newest scrape.' },
  state: ref('FigureState'),
};

/** What is told of requests from one place to another. */
const placeFigures = {
  requests: figures.requests,
  requestRate: figures.requestRate,
  successRate: { ...share, description: 'Null, too, where calls had gRPC failures, which are not told by zone.' },
  errorRate: { ...share, description: 'Null, too, where calls had gRPC failures, which are not told by zone.' },
  codeClasses: figures.codeClasses,
  latencyMs: figures.latencyMs,
  latencySamples: figures.latencySamples,
  precision: figures.precision,
  state: figures.state,
};
const edge = {
  source: { ...text, description: "The calling node's id." },
  target: { ...text, description: "The called node's id." },
  ...figures,
};
const topology = { ...range, ...tiers, nodes: listOf(ref('TopologyNode')) };
const place = (description: string): Schema => ({ type: ['string', 'null'], description });
const routeShare: Schema = { ...share, description: 'Share of all requests in the answer.' };

const serviceSummary = {
  ...service,
  vantage: {
    enum: ['server', 'client'],
    description: 'Whose Envoy measured: its own sidecars, or those of its callers.',
  },
  role,
  regions: listOf(text),
  instances: object({ up: wholeNumber, total: wholeNumber }),
  failureSource,
  ...figures,
  alerts: ref('AlertCounts'),
};

const latency = {
  p50: milliseconds,
  p90: milliseconds,
  p95: milliseconds,
  p99: milliseconds,
  p999: milliseconds,
  mean: milliseconds,
};
const precision = {
  method: { enum: ['bins', 'buckets'] },
  source: {
    enum: ['downstream', 'upstream'],
    description: "The histogram that latency is from: the connection manager's, or the cluster's.",
  },
  maxRelativeError: {
    ...countOrNull,
    description: 'Largest distance from a percentile to an edge of its bin, as a share of the percentile.',
  },
  capped: {
    type: 'boolean',
    description: 'Whether a percentile falls among timed-out requests without a sample: it is then a lower bound.',
  },
};

/** By the names of the types in contract.ts. */
export const SCHEMAS: Readonly<Record<string, Schema>> = {
  ErrorBody: object({
    error: object({ code: text, message: { ...text, description: 'What is wrong, and what would be right.' } }),
  }),
  FigureState: {
    enum: ['ok', 'no_traffic', 'no_data', 'too_little_data'],
    description:
      'no_traffic: measured, and there was no request. no_data: not measured; figures are null. too_little_data: fewer than 20 latency samples; figures are given all the same.',
  },
  LatencyMs: object(latency, 'Latency in milliseconds; null without a sample.'),
  Precision: object(precision),
  Failures: {
    type: 'object',
    description: 'Events by reason. Reasons are disjoint; tries fail too, so they may exceed the failed requests.',
    propertyNames: { enum: REASON_COUNTERS.map(([reason]) => reason) },
    additionalProperties: { type: 'number', exclusiveMinimum: 0 },
  },
  ServiceSummary: object(serviceSummary),
  InstanceFigures: object({ instance: text, region: text, zone: text, health, ...figures }),
  RegionFigures: object({ region: text, ...figures }),
  PeerFigures: object({ ...service, ...figures, failures: ref('Failures') }),
  AnswerRange: object(range),
  TierName: { enum: [...TIERS] },
  ServicesAnswer: object({ ...range, ...tiers, services: listOf(ref('ServiceSummary')) }),
  ServicePart: part({ ...serviceSummary, latencyMs: part(latency, []), precision: part(precision, []) }, [
    'service',
    'namespace',
  ]),
  ServicePartsAnswer: object({ ...range, ...tiers, services: listOf(ref('ServicePart')) }),
  ServiceAnswer: object({
    ...range,
    ...tiers,
    ...serviceSummary,
    byInstance: listOf(ref('InstanceFigures')),
    byRegion: listOf(ref('RegionFigures')),
    upstreams: { ...listOf(ref('PeerFigures')), description: 'Services that this one called in the window.' },
    downstreams: { ...listOf(ref('PeerFigures')), description: 'Services that called this one in the window.' },
    failures: ref('Failures'),
  }),
  Point: {
    type: 'array',
    prefixItems: [{ ...time, description: 'Start of the step, Unix milliseconds.' }, { type: ['number', 'null'] }],
    items: false,
    minItems: 2,
    description: 'A null is a step without data; a known zero is 0.',
  },
  QuerySeries: object({ labels, points: listOf(ref('Point')) }),
  QueryAnswer: object({
    signal: text,
    ...steps,
    measuredTo: {
      ...time,
      description: 'Scrapes that were due until then are in it: of steps that end later, only a part was measured.',
    },
    series: listOf(ref('QuerySeries')),
    other: { ...listOf(ref('QuerySeries')), description: 'Of all that top left out, together.' },
  }),
  HeatmapAnswer: object({
    ...steps,
    times: { ...listOf(time), description: 'Starts of the steps.' },
    boundsMs: {
      ...listOf({
        type: 'array',
        prefixItems: [{ type: 'number', minimum: 0 }, { type: ['number', 'null'] }],
        items: false,
        minItems: 2,
      }),
      maxItems: MAX_ROWS,
      description:
        'Bounds of the rows in milliseconds, [lower, upper), one beside the other; the last upper one is null where it is not known.',
    },
    counts: {
      ...listOf({ anyOf: [listOf(count), { type: 'null' }] }),
      description: 'Samples of each step by row; null where nothing was measured.',
    },
    timeouts: {
      ...listOf(countOrNull),
      description: 'Requests of each step that timed out and have no sample; null where nothing was measured.',
    },
  }),
  TopologyNode: object({ id: text, ...service, role, regions: listOf(text) }),
  TopologyEdge: object(edge),
  TopologyAnswer: object({ ...topology, edges: listOf(ref('TopologyEdge')) }),
  TopologyEdgePart: part({ ...edge, latencyMs: part(latency, []), precision: part(precision, []) }, [
    'source',
    'target',
  ]),
  TopologyPartsAnswer: object({ ...topology, edges: listOf(ref('TopologyEdgePart')) }),
  PlaceFigures: object(placeFigures),
  RegionRoute: object({
    from: place("The caller's region; null where it is not known."),
    to: place('Region of the hosts that answered; null where it is not known.'),
    share: routeShare,
    ...placeFigures,
  }),
  ZoneRoute: object({
    fromRegion: place("The caller's region."),
    fromZone: place("The caller's zone."),
    toRegion: place('Region of the hosts that answered.'),
    toZone: place('Zone of the hosts that answered.'),
    share: routeShare,
    ...placeFigures,
  }),
  RegionsAnswer: object({
    ...range,
    ...tiers,
    regions: { ...listOf(ref('RegionRoute')), description: 'Every request is in one of them.' },
    zones: { ...listOf(ref('ZoneRoute')), description: 'The same requests from zone to zone.' },
  }),
  TargetStatus: object({
    labels,
    discoveredLabels: labels,
    health,
    lastError: { ...text, description: 'What is wrong and what to do; empty when the last scrape was good.' },
    lastScrape: timeOrNull,
    scrapeDurationMs: milliseconds,
    bodyBytes: { type: ['integer', 'null'], minimum: 0 },
    samples: { type: ['integer', 'null'], minimum: 0, description: 'Stats that were used of the last answer.' },
    envoyVersion: text,
    startedAt: { ...timeOrNull, description: 'When its Envoy started.' },
    restarts: {
      ...listOf(time),
      description:
        'Starts of its Envoy that came after another since the collector knows it, the newest last, at most 20.',
    },
    certificateExpiry: { ...timeOrNull, description: 'When the first of its certificates runs out.' },
    precision: { enum: ['bins', 'buckets', 'none', 'unknown'] },
    note: { ...text, description: 'What is to be told of its discovery, such as labels in conflict; else empty.' },
    failureSource,
    clusters: {
      anyOf: [
        object({
          at: time,
          durationMs: milliseconds,
          bodyBytes: wholeNumber,
          result: { enum: ['ok', 'refused', 'failed'] },
          error: text,
        }),
        { type: 'null' },
      ],
      description: 'The last asking for /clusters, which duration and bytes of scrapes do not hold; null without one.',
    },
    intervalMs: {
      type: ['number', 'null'],
      description: 'Time between two scrapes as it is now; null before the first.',
    },
    slowedDown: { ...text, description: 'Why that is longer than configured; empty where it is not.' },
    busyShare: {
      type: ['number', 'null'],
      description: 'Share of the time that the target spends on answering, as the last scrape took; null before it.',
    },
  }),
  TargetsAnswer: object({
    targets: listOf(ref('TargetStatus')),
    total: { ...wholeNumber, description: 'Targets that pass the filters, on all pages.' },
    counts: object({ up: wholeNumber, down: wholeNumber, unknown: wholeNumber }),
    dropped: {
      ...listOf(object({ discoveredLabels: labels, reason: text })),
      description: 'The first of what was found and is no target.',
    },
    droppedTotal: wholeNumber,
    discovery: listOf(ref('DiscoveryState')),
  }),
  StorageTier: object({
    name: ref('TierName'),
    stepMs: wholeNumber,
    retentionMs: { ...wholeNumber, description: 'How long it is to be kept.' },
    keptMs: { ...wholeNumber, description: 'How long it can be kept within the largest size.' },
    oldest: timeOrNull,
    newest: timeOrNull,
    bytes: wholeNumber,
  }),
  StorageStatus: object({
    path: { ...text, description: ':memory: where nothing is written.' },
    bytes: { ...wholeNumber, description: 'Size of the file.' },
    usedBytes: { ...wholeNumber, description: 'What is in use in it.' },
    maxBytes: { ...wholeNumber, description: 'The largest that may be in use.' },
    state: { enum: ['ok', 'failing'] },
    message: { ...text, description: 'Why rounds can not be stored, and what to do; empty when they can.' },
    failingSince: timeOrNull,
    waiting: { ...wholeNumber, description: 'Scrapes that wait to be stored, those of one target added up.' },
    lost: { ...wholeNumber, description: 'Scrapes that had to be given up.' },
    notice: {
      ...text,
      description: 'What keeps the store from keeping everything as long as asked; empty when nothing does.',
    },
    schemaVersion: wholeNumber,
    oldest: timeOrNull,
    logRows: { ...wholeNumber, description: 'Scrapes that are not packed into blocks yet.' },
    lagMs: { type: ['number', 'null'], description: 'Milliseconds from the newest stored round to now.' },
    threads: object({
      lost: { ...wholeNumber, description: 'Threads that ended by themselves since the start, and were replaced.' },
      last: { anyOf: [object({ at: time, message: text }), { type: 'null' }], description: 'The newest of them.' },
    }),
    tiers: listOf(ref('StorageTier')),
  }),
  DiscoveryState: object({
    name: { ...text, description: 'As the configuration names it: discovery.file[0].' },
    error: { ...text, description: 'What is wrong with it and what to do; empty when all is well.' },
    answered: { type: 'boolean', description: 'Whether its first answer is there.' },
  }),
  RemoteWriteStatus: object(
    {
      name: { ...text, description: 'As the configuration names it, or host and port of its address.' },
      state: { enum: ['ok', 'failing'] },
      message: { ...text, description: 'What is wrong; empty when nothing is.' },
      failingSince: timeOrNull,
      lastError: {
        anyOf: [object({ at: time, reason: text }), { type: 'null' }],
        description: 'The newest request that it did not take, whether it goes well since or not.',
      },
      samplesSent: wholeNumber,
      samplesDropped: {
        type: 'object',
        additionalProperties: wholeNumber,
        description: 'By reason: the queue was full or damaged, or the receiver refused them for good.',
      },
      samplesPending: { ...wholeNumber, description: 'Samples that wait in the queue.' },
      requests: {
        type: 'object',
        additionalProperties: wholeNumber,
        description: 'By result: taken, failed, refused.',
      },
      rounds: { ...wholeNumber, description: 'Times at which samples were taken.' },
      series: { ...wholeNumber, description: 'Series of the newest round.' },
      queueBytes: wholeNumber,
      maxQueueBytes: wholeNumber,
      lagMs: { ...count, description: 'Age of the oldest sample that waits.' },
    },
    'A receiver of remote write; counts are since the start.',
  ),
  HttpSdAnswer: listOf(object({ targets: listOf(text), labels })),
  OtlpStatus: object({
    endpoint: { ...text, description: 'Scheme, host and port of the receiver.' },
    protocol: { enum: ['http/protobuf', 'grpc'] },
    temporality: { enum: ['cumulative', 'delta'] },
    intervalMs: wholeNumber,
    acceptedAt: timeOrNull,
    problem: { ...text, description: 'Why it takes nothing, or not all; empty when it takes everything.' },
    accepted: { ...wholeNumber, description: 'Points that it took.' },
    rejected: { ...wholeNumber, description: 'Points that it said it left out.' },
    dropped: { ...wholeNumber, description: 'Points of requests that it refused.' },
    retries: { ...wholeNumber, description: 'Requests that failed and were made again.' },
  }),
  StatusAnswer: object({
    build: object({ version: text, node: text }),
    startedAt: time,
    now: time,
    scrape: object({
      intervalMs: wholeNumber,
      timeoutMs: wholeNumber,
      targets: wholeNumber,
      up: wholeNumber,
      down: wholeNumber,
    }),
    storage: ref('StorageStatus'),
    retention: { type: 'object', additionalProperties: wholeNumber, description: 'Milliseconds by tier.' },
    limits: { type: 'object', additionalProperties: wholeNumber },
    reload: object({ at: time, goodAt: time, errors: listOf(text) }),
    discovery: listOf(ref('DiscoveryState')),
    remoteWrite: listOf(ref('RemoteWriteStatus')),
    otlp: { anyOf: [ref('OtlpStatus'), { type: 'null' }], description: 'Null where nothing is pushed by OTLP.' },
    config: { description: 'The configuration as it was understood, with its defaults.' },
  }),
  Tick: object(
    {
      at: { ...time, description: 'Figures up to here can be asked for, Unix milliseconds.' },
      intervalMs: wholeNumber,
      targets: object({ up: wholeNumber, down: wholeNumber, total: wholeNumber }),
      alerts: object({ firing: wholeNumber }),
    },
    'Data of an event "tick", as JSON.',
  ),
  ...alertSchemas({ range }),
};
