import { type DestinationStream, destination, type Level, type Logger, pino } from 'pino';
import { textLine } from './log-text.ts';

export type { Logger };

export interface LogOptions {
  readonly level: Level;
  readonly format: 'text' | 'json';
  /** Takes whole lines; standard error by default. */
  readonly output?: DestinationStream;
}

const SECRET_KEYS = ['authorization', 'password', 'token', 'secret'];
const HIDDEN = '[hidden]';
const MAX_DEPTH = 8;

/**
 * A logger of one line per entry, as JSON or as `2026-11-21T10:31:02.123Z INFO  message key=value`.
 * Values under keys such as `password` and the user and password of URLs are never written; an error's stack
 * only at level debug and below.
 */
export function createLog({ level, format, output = destination({ fd: 2, sync: true }) }: LogOptions): Logger {
  const withStack = level === 'debug' || level === 'trace';
  const log = (entries: Record<string, unknown>) => plainEntries(entries, withStack);
  return pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      messageKey: 'message',
      formatters: { level: (label) => ({ level: label }), log },
      serializers: { err: (value: unknown) => (value instanceof Error ? errorEntry(value, withStack) : value) },
      redact: { paths: SECRET_KEYS, censor: HIDDEN },
      hooks: { streamWrite: withoutUrlSecrets },
    },
    format === 'json' ? output : { write: (line) => output.write(textLine(line)) },
  );
}

/** `http://user:password@host` becomes `http://host`, wherever it stands in `text`. */
export function withoutUrlSecrets(text: string): string {
  return text.replaceAll(/\b([a-z][a-z0-9+.-]*:\/\/)[^\s/?#"'<>\\]*@/gi, '$1');
}

/** The fields of an entry as plain values: secrets hidden at any depth, errors as their messages. */
function plainEntries(entries: Record<string, unknown>, withStack: boolean, depth = 0): Record<string, unknown> {
  const plain = (key: string, value: unknown): unknown => {
    if (SECRET_KEYS.includes(key.toLowerCase())) return HIDDEN;
    if (value instanceof Error) return errorEntry(value, withStack);
    if (typeof value !== 'object' || value === null || 'toJSON' in value) return value;
    if (depth >= MAX_DEPTH) return '[deeper]';
    const inner = plainEntries({ ...value }, withStack, depth + 1);
    return Array.isArray(value) ? Object.values(inner) : inner;
  };
  return Object.fromEntries(Object.entries(entries).map(([key, value]) => [key, plain(key, value)]));
}

/** An error and what caused it in one message, with its code where it has one. */
function errorEntry(error: Error & { code?: unknown }, withStack: boolean): Record<string, unknown> {
  return {
    message: messageOf(error),
    ...(error.code === undefined ? {} : { code: error.code }),
    ...(withStack ? { stack: error.stack } : {}),
  };
}

function messageOf(error: Error, depth = 0): string {
  const cause = error.cause instanceof Error && depth < MAX_DEPTH ? messageOf(error.cause, depth + 1) : '';
  return cause === '' || error.message.includes(cause) ? error.message : `${error.message}: ${cause}`;
}
