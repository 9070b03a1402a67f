import type { RequestListener } from 'node:http';
import type { RequestHandler } from 'express';
import type { Logger } from 'pino';
import { Authentication, type LetIn, readLetIn } from './api/authentication.ts';
import { clientLimits } from './api/client-limits.ts';
import { hostGuard } from './api/guard.ts';
import type { WebConfig } from './config/config.ts';
import { FileChanges } from './web-server/file-changes.ts';
import { readTlsMaterial, type TlsMaterial, tlsFilesOf } from './web-server/tls-files.ts';
import { WebServer } from './web-server/web-server.ts';

export interface CollectorWebOptions {
  readonly config: WebConfig;
  readonly log: Logger;
  readonly now: () => number;
  /** Those that were let in by what counted before have to ask again. */
  readonly onLetInChanged: () => void;
}

/** What the files of a configuration hold. */
interface Material {
  readonly tls: TlsMaterial | undefined;
  readonly letIn: LetIn | undefined;
}

/** A certificate that ends within this time is warned about, in milliseconds. */
const ENDING_MS = 7 * 86_400_000;

/** The product's own port: who is let in, and how; files of certificates and tokens count anew when they change. */
export class CollectorWeb {
  private readonly options: CollectorWebOptions;
  private readonly authentication: Authentication;
  private readonly changes: FileChanges;
  private config: WebConfig;
  private material: Material;
  private server: WebServer | undefined;
  private reread = '';

  /** @throws Error in one line when a file can't be used. */
  constructor(options: CollectorWebOptions) {
    this.options = options;
    this.config = options.config;
    this.changes = new FileChanges({ onChange: () => this.readAgain() });
    this.changes.watch(filesOf(this.config));
    try {
      this.material = readMaterial(this.config);
    } catch (error) {
      this.changes.stop();
      throw error;
    }
    this.authentication = new Authentication(options);
    this.authentication.configure(this.material.letIn);
  }

  /** What every request passes first, in this order. */
  get entrance(): readonly RequestHandler[] {
    const rules = () => ({ ...this.config, address: this.server?.address ?? '' });
    return [hostGuard(rules), clientLimits(() => this.config.limits), this.authentication.handler];
  }

  readonly headers = (): Readonly<Record<string, string>> => this.config.headers;

  /** @returns where it is. @throws the error of `listen`. */
  async listen(handler: RequestListener): Promise<string> {
    const { limits, tls: config } = this.config;
    const { tls: material } = this.material;
    const server = new WebServer({ handler, limits, tls: config && material && { config, material } });
    await server.listen(this.config);
    this.server = server;
    this.warnOfEnd();
    return server.url;
  }

  /** What is wrong with the files of another configuration; undefined when all is well. */
  check(config: WebConfig): unknown {
    return problemOfFiles(config);
  }

  /** Works by another configuration that `check` found good. */
  apply(config: WebConfig): void {
    this.config = config;
    this.changes.watch(filesOf(config));
    this.server?.setLimits(config.limits);
    this.readAgain();
  }

  async stop(): Promise<void> {
    this.changes.stop();
    await this.server?.close();
  }

  /** Files that can't be used any more change nothing, and are told of. */
  private readAgain(): void {
    const { log } = this.options;
    try {
      this.take(readMaterial(this.config));
      if (this.reread !== '') log.info('certificates and tokens can be read again');
      this.reread = '';
    } catch (error) {
      if (this.reread !== messageOf(error)) log.error(`${messageOf(error)}; what was read before still counts`);
      this.reread = messageOf(error);
    }
  }

  private take(material: Material): void {
    const { log, onLetInChanged } = this.options;
    const before = this.material;
    this.material = material;
    const { tls: config } = this.config;
    if (config && material.tls) {
      this.server?.setTls(config, material.tls);
      if (before.tls?.options.cert !== material.tls.options.cert) {
        log.info(`a new certificate counts, valid until ${new Date(material.tls.endsAt).toISOString()}`);
        this.warnOfEnd();
      }
    }
    if (sameLetIn(before.letIn, material.letIn)) return;
    this.authentication.configure(material.letIn);
    onLetInChanged();
  }

  private warnOfEnd(): void {
    const { endsAt } = this.material.tls ?? {};
    if (endsAt === undefined || endsAt - this.options.now() > ENDING_MS) return;
    this.options.log.warn(`${this.config.tls?.certFile} ends at ${new Date(endsAt).toISOString()}; renew it`);
  }
}

/** Why the files that are named for the product's own port can't be used: an error; undefined when they can. */
export function problemOfFiles(config: WebConfig): unknown {
  try {
    readMaterial(config);
    return undefined;
  } catch (error) {
    return error;
  }
}

function readMaterial({ tls, auth }: WebConfig): Material {
  return { tls: tls && readTlsMaterial(tls), letIn: auth && readLetIn(auth) };
}

function filesOf({ tls, auth }: WebConfig): string[] {
  const tokens = auth?.tokens.flatMap(({ tokenFile }) => (tokenFile === undefined ? [] : [tokenFile])) ?? [];
  return [...(tls ? tlsFilesOf(tls) : []), ...tokens];
}

function sameLetIn(a: LetIn | undefined, b: LetIn | undefined): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
