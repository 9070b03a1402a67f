/** What simulated sidecars have counted, moment by moment, and their answers to /stats: rendered once for many of them. */

import { seededRandom } from '../../../examples/meshes/random.ts';
import { FORMS, type Moment } from '../../envoy/five-forms.ts';
import { BusySidecar } from '../sidecar.ts';

/** Envoy flushes its histograms that often. */
export const MOMENT_MS = 5000;
/** Sidecars whose traffic differs. */
export const VARIANTS = 24;
/** Those of one variant are at this many different moments of it. */
export const LAGS = 4;
export const PEERS = 10;
export const ZONE = 'eu-west-1a';
/** Requests to each cluster between two moments: 10 per second. */
const REQUESTS = 50;
const FIRST_REQUESTS = 900;
/** Stands for a called service in a cluster's name; its last digit says which one. */
const PLACE = 'svc-999';
const CLUSTERS = ['local_app', ...Array.from({ length: PEERS }, (_, peer) => `${PLACE}${peer}`)];

/** Requests that were completed. */
export interface Counted {
  readonly inbound: number;
  readonly outbound: number;
}

/** An answer with the places where the numbers of the called services are to stand. */
export interface Template {
  readonly bytes: Buffer;
  /** Pairs: where four digits stand, and of which peer. */
  readonly places: Int32Array;
}

interface KeptMoment {
  readonly moment: Moment;
  readonly counted: Counted;
  /** By path. */
  readonly templates: Map<string, Template>;
}

/** A way to ask, as Envoy understands it. */
interface Asked {
  readonly form: 'text' | 'prometheus';
  readonly filter: RegExp | undefined;
}

/** The service that the sidecars of `service` call as their peer of that number: of more than {@link PEERS} services. */
export function calledService(service: number, peer: number, services: number): number {
  return (service + 1 + peer) % services;
}

/** The traffic of one variant: sidecars that have counted the same, some of them a few moments later than others. */
export class SimulatedTraffic {
  private readonly sidecar: BusySidecar;
  private readonly kept: KeptMoment[] = [];

  constructor(seed: number) {
    this.sidecar = new BusySidecar(seededRandom(seed), CLUSTERS);
    this.sidecar.serve(FIRST_REQUESTS);
    for (let i = 0; i < LAGS; i++) this.goOn();
  }

  /** To the next moment. */
  goOn(): void {
    this.sidecar.serve(REQUESTS);
    const moment = this.sidecar.moment();
    this.kept.push({ moment, counted: countedIn(moment), templates: new Map() });
    if (this.kept.length > LAGS) this.kept.shift();
  }

  /** What has been counted at the moment that is `lag` moments old. */
  counted(lag: number): Counted {
    return this.at(lag).counted;
  }

  moment(lag: number): Moment {
    return this.at(lag).moment;
  }

  /** The whole HTTP answer at the moment that is `lag` moments old. */
  answer(lag: number, path: string): Template {
    const { moment, templates } = this.at(lag);
    const known = templates.get(path) ?? templateOf(rendered(moment, askedBy(path)));
    templates.set(path, known);
    return known;
  }

  private at(lag: number): KeptMoment {
    const kept = this.kept[this.kept.length - 1 - lag];
    if (!kept) throw new Error(`no moment is ${lag} moments old`);
    return kept;
  }
}

function countedIn({ scalars }: Moment): Counted {
  let [inbound, outbound] = [0, 0];
  for (const [name, value] of Object.entries(scalars)) {
    if (/^http\.ingress_https?\.downstream_rq_completed$/.test(name)) inbound += value;
    if (/^cluster\.svc-\d+\.upstream_rq_completed$/.test(name)) outbound += value;
  }
  return { inbound, outbound };
}

const asked = new Map<string, Asked>();

function askedBy(path: string): Asked {
  const known = asked.get(path);
  if (known) return known;
  const { pathname, searchParams } = new URL(path, 'http://envoy');
  const filter = searchParams.get('filter');
  const form = pathname === '/stats/prometheus' ? 'prometheus' : 'text';
  const understood: Asked = { form, filter: filter === null ? undefined : new RegExp(filter) };
  asked.set(path, understood);
  return understood;
}

function rendered({ scalars, histograms = {}, intervals = {} }: Moment, { form, filter }: Asked): Buffer {
  const passing = <T>(stats: Readonly<Record<string, T>>) =>
    filter ? Object.fromEntries(Object.entries(stats).filter(([name]) => filter.test(name))) : stats;
  // Envoy's own order: values sorted by name, then histograms sorted by name.
  return FORMS[form].render({
    scalars: sorted(passing(scalars)),
    histograms: sorted(passing(histograms)),
    intervals,
  });
}

function sorted<T>(stats: Readonly<Record<string, T>>): Record<string, T> {
  return Object.fromEntries(Object.entries(stats).sort(([a], [b]) => (a < b ? -1 : 1)));
}

function templateOf(body: Buffer): Template {
  const bytes = httpAnswer('text/plain; charset=UTF-8', body);
  const places: number[] = [];
  for (let at = bytes.indexOf(PLACE); at >= 0; at = bytes.indexOf(PLACE, at + 1)) {
    const digits = at + PLACE.length - 3;
    places.push(digits, (bytes[at + PLACE.length] ?? 48) - 48);
  }
  return { bytes, places: Int32Array.from(places) };
}

/** As Envoy's admin port answers. */
export function httpAnswer(contentType: string, body: Buffer): Buffer {
  const head = [
    'HTTP/1.1 200 OK',
    `content-type: ${contentType}`,
    'cache-control: no-cache, max-age=0',
    'x-content-type-options: nosniff',
    'date: Tue, 01 Jan 2030 00:00:00 GMT',
    'server: envoy',
    'transfer-encoding: chunked',
  ];
  return Buffer.concat([
    Buffer.from(`${head.join('\r\n')}\r\n\r\n${body.length.toString(16)}\r\n`),
    body,
    Buffer.from('\r\n0\r\n\r\n'),
  ]);
}
