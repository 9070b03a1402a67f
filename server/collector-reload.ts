import type { Config } from './config/config.ts';
import type { Loaded } from './config/load.ts';
import { placedMessage } from './config/named-files.ts';

/** How the configuration was read last. */
export interface ReloadState {
  /** When, Unix milliseconds. */
  readonly at: number;
  /** When it was good last. */
  readonly goodAt: number;
  /** What was wrong, one line each with file, line and key; empty when it was good. */
  readonly errors: readonly string[];
}

export interface ConfigReloadOptions {
  readonly config: Config;
  /** Reads the configuration again, for a collector that runs by `running`. */
  readonly load: (running: Config) => Loaded;
  /** What is wrong with what a configuration names, such as its files: an error; undefined when all is well. */
  readonly check?: (config: Config) => unknown;
  /** Makes everything work by another configuration. */
  readonly apply: (config: Config) => void;
  readonly now: () => number;
}

/** Reads the configuration again when asked to; one that is bad changes nothing. */
export class ConfigReload {
  private readonly options: ConfigReloadOptions;
  config: Config;
  state: ReloadState;

  constructor(options: ConfigReloadOptions) {
    this.options = options;
    this.config = options.config;
    this.state = { at: options.now(), goodAt: options.now(), errors: [] };
  }

  /** What is wrong, in one line each; empty when the configuration counts now. */
  reload(): readonly string[] {
    const { load, check, apply, now } = this.options;
    const read = load(this.config);
    const wrong = 'config' in read ? check?.(read.config) : undefined;
    const loaded = 'errors' in read || !wrong ? read : { errors: [placedMessage(wrong, read.namedFiles)] };
    const at = now();
    if ('errors' in loaded) {
      this.state = { ...this.state, at, errors: loaded.errors };
      return loaded.errors;
    }
    this.config = loaded.config;
    apply(loaded.config);
    this.state = { at, goodAt: at, errors: [] };
    return [];
  }
}

const SECRET_KEYS = ['password', 'bearerToken', 'hash', 'sha256'];

/** The configuration without its secrets, for all to see. */
export function withoutSecretValues(value: unknown, key = ''): unknown {
  if (SECRET_KEYS.includes(key) && value !== undefined) return '[hidden]';
  if (key === 'headers' && typeof value === 'object' && value !== null)
    return Object.fromEntries(Object.keys(value).map((name) => [name, '[hidden]']));
  if (key === 'webhooks' && Array.isArray(value)) return value.map(hiddenHook);
  if (Array.isArray(value)) return value.map((item) => withoutSecretValues(item));
  if (typeof value !== 'object' || value === null) return hiddenQuery(value, key);
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, withoutSecretValues(inner, name)]));
}

/** Paths of webhooks often are tokens. */
function hiddenHook(hook: { readonly url?: unknown }): unknown {
  const { url } = hook;
  const rest = Object.entries(hook).map(([name, inner]) => [name, withoutSecretValues(inner, name)]);
  const shown = typeof url === 'string' && URL.canParse(url) ? `${new URL(url).origin}/[hidden]` : '[hidden]';
  return { ...Object.fromEntries(rest), url: shown };
}

/** Queries of addresses may hold tokens. */
function hiddenQuery(value: unknown, key: string): unknown {
  return key === 'url' && typeof value === 'string' ? value.replace(/\?.*$/, '?[hidden]') : value;
}
