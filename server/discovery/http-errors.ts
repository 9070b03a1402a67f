/** Reasons by the code of Node's or undici's error. */
const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens there',
  ECONNRESET: 'the connection was closed before the answer had ended',
  UND_ERR_SOCKET: 'the connection was closed before the answer had ended',
  EPIPE: 'the connection was closed before the answer had ended',
  ENOTFOUND: 'its name is not known to DNS',
  EAI_AGAIN: 'DNS did not answer for its name',
  EHOSTUNREACH: 'there is no route to it',
  ENETUNREACH: 'there is no route to it',
  UND_ERR_HEADERS_OVERFLOW: 'it answers with headers of over 16 kB',
};

/** Why a source can't be had, in one line; what it listed last stays. */
export function sourceError(error: unknown, { url, timedOut }: { url: string; timedOut: boolean }): string {
  const { code = '', message = String(error) } = (error ?? {}) as { code?: string; message?: string };
  const reason = timedOut
    ? 'it has not answered in time'
    : error instanceof SyntaxError
      ? `the answer is not valid JSON: ${message}`
      : (REASONS[code] ?? message);
  return `${withoutQuery(url)}: ${reason.split('\n')[0]}; what it listed last stays`;
}

/** Queries may hold secrets. */
export function withoutQuery(url: string): string {
  return url.split('?')[0] ?? '';
}
