import type { Logger } from 'pino';

/** A failure that is told to the user as its message: one plain line. */
export class PlainError extends Error {
  override name = 'PlainError';
}

/** One line from whatever was thrown, never a stack. */
export function plainLine(error: unknown): string {
  const message = error instanceof Error ? error.message || codeOf(error) : String(error);
  const lines = message.split('\n').map((line) => line.trim());
  return lines.filter((line) => line !== '').join(' ') || 'unknown error';
}

/** The code that the system gave an error, such as `EADDRINUSE`; empty without one. */
export function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
}

/** Fields of a log entry whose message is the error's: the error with its stack, where the level shows stacks. */
export function stackFor(log: Logger, error: unknown): { err?: unknown } {
  return log.isLevelEnabled('debug') ? { err: error } : {};
}
