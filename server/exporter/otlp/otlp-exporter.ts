/** Pushes the live mesh and the collector's own metrics to one receiver of OTLP. */

import { createHash } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { LiveTarget } from '../../live/live.ts';
import type { Labels } from '../../model/labels.ts';
import { SecretFiles } from '../../reach/credentials.ts';
import type { CollectorFamily } from '../collector-families.ts';
import { Accepted } from './accepted.ts';
import { DepartedTargets } from './departed-targets.ts';
import { type EncodedResource, meshResources } from './mesh-resources.ts';
import type { Outcome, Sender } from './outcome.ts';
import { type OwnAccepted, ownResource } from './own-resource.ts';
import { type PushResult, push } from './push.ts';
import { PushLoop, type PushState } from './push-loop.ts';
import { requestHeaders } from './request-headers.ts';
import type { OtlpSettings } from './settings.ts';
import { loadAccepted, saveAccepted } from './state-file.ts';

export interface OtlpExporterOptions {
  readonly settings: OtlpSettings;
  readonly targets: () => readonly LiveTarget[];
  /** The collector's own metrics. */
  readonly own: () => Promise<readonly CollectorFamily[]>;
  /** Who the collector is. */
  readonly resource: Labels;
  /** Upper bounds of explicit buckets in seconds. */
  readonly buckets: () => readonly number[];
  /** Where it is kept what was accepted; undefined: in memory only. */
  readonly statePath: string | undefined;
  /** Targets that an earlier life of the collector counted. */
  readonly remembered: ReadonlySet<string>;
  readonly version: string;
  /** When the process began, Unix milliseconds. */
  readonly startedAt: number;
  readonly now: () => number;
  readonly random?: () => number;
  readonly wait?: (ms: number, signal: AbortSignal) => Promise<unknown>;
  readonly onOutcome: (outcome: Outcome, points: number) => void;
  readonly onError: (error: unknown) => void;
}

export class OtlpExporter {
  private readonly options: OtlpExporterOptions;
  private readonly sender: Sender;
  private readonly accepted: Accepted;
  private readonly departed: DepartedTargets;
  private readonly own: OwnAccepted;
  private readonly loop: PushLoop;
  private readonly wait: (ms: number, signal: AbortSignal) => Promise<unknown>;

  private constructor(options: OtlpExporterOptions, sender: Sender, accepted: Accepted) {
    const { settings, startedAt, now, onError } = options;
    this.options = options;
    this.sender = sender;
    this.accepted = accepted;
    this.departed = new DepartedTargets(accepted);
    this.own = { at: startedAt, startedAt, values: new Map() };
    this.wait = options.wait ?? ((ms, signal) => delay(ms, undefined, { signal, ref: false }));
    this.loop = new PushLoop({
      intervalMs: settings.intervalMs,
      push: (limits) => this.push(limits),
      wait: this.wait,
      now,
      onError,
    });
  }

  static async open(options: OtlpExporterOptions): Promise<OtlpExporter> {
    const { settings, statePath, remembered } = options;
    const kept = statePath && (await loadAccepted(statePath, { receiver: receiverOf(settings), known: remembered }));
    return new OtlpExporter(options, await senderOf(options), new Accepted(settings.temporality, kept || []));
  }

  start(): void {
    this.loop.start();
  }

  get state(): Readonly<PushState> {
    return this.loop.state;
  }

  /** Pushes once, as if it were time for it. */
  pushNow(): Promise<PushResult> {
    const { settings, now } = this.options;
    return this.push({ until: now() + settings.intervalMs, signal: new AbortController().signal });
  }

  /** Pushes once more, then ends. */
  async stop(): Promise<void> {
    await this.loop.stop();
    await this.close();
  }

  /** Ends without a word. */
  async close(): Promise<void> {
    await this.sender.close();
  }

  private async push(limits: { until: number; signal: AbortSignal }): Promise<PushResult> {
    const { now, random = Math.random, onOutcome } = this.options;
    const own = await this.options.own();
    const resources = this.resources(own);
    const counted = (outcome: Outcome, points: number) => {
      this.loop.count(outcome, points);
      onOutcome(outcome, points);
    };
    const result = await push(
      resources,
      { sender: this.sender, wait: this.wait, now, random, onOutcome: counted },
      limits,
    );
    await this.save();
    return result;
  }

  private *resources(families: readonly CollectorFamily[]): Generator<EncodedResource | undefined> {
    const { settings, resource, version, buckets } = this.options;
    const targets = this.options.targets();
    const now = this.options.now();
    const current = new Set(targets.map(({ target }) => target.key));
    this.accepted.keep(current, now);
    const gone = settings.temporality === 'delta' ? this.departed.since(targets, current) : [];
    const points = { ...settings, now, version };
    yield* meshResources({ ...points, targets, gone, accepted: this.accepted, buckets: buckets() });
    yield ownResource({ ...points, families, resource, accepted: this.own });
  }

  private async save(): Promise<void> {
    const { statePath, settings } = this.options;
    if (!statePath || !this.accepted.isChanged) return;
    this.accepted.isChanged = false;
    try {
      await saveAccepted(statePath, receiverOf(settings), this.accepted.entries());
    } catch (error) {
      this.accepted.isChanged = true;
      throw error;
    }
  }
}

/** Names whom what was told, without an address that may hold a secret. */
function receiverOf({ url, temporality }: OtlpSettings): string {
  return createHash('sha256').update(`${temporality} ${url}`).digest('hex').slice(0, 16);
}

/** Loads only what the protocol needs. */
async function senderOf({ settings, now }: OtlpExporterOptions): Promise<Sender> {
  const headers = requestHeaders(settings, new SecretFiles(now));
  if (settings.protocol === 'grpc') return new (await import('./grpc-sender.ts')).GrpcSender({ settings, headers });
  return new (await import('./http-sender.ts')).HttpSender({ settings, headers, now });
}
