/** A failure that is told to the user as its message, one plain line, without a stack trace. */
export class DemoError extends Error {
  override name = 'DemoError';
}

/** The first line of an error's message, for use inside another message. */
export function firstLine(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message.split('\n', 1)[0] ?? '';
}
