import { formatTargetAddress, type TargetAddress } from '../model/target.ts';

/** Why a scrape failed; the message is for the user: what happened and what to do. */
export class ScrapeError extends Error {
  override name = 'ScrapeError';
}

interface Circumstances {
  readonly address: TargetAddress;
  readonly timeoutMs: number;
  readonly timedOut: boolean;
  readonly bodyLimitBytes?: number;
}

/** Reasons by the code of an error of Node or of {@link HttpError}; `{address}` is the target's. */
const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens at {address}: is Envoy running, and is its admin port open to the collector?',
  ECONNRESET: '{address} closed the connection before it had answered',
  EPIPE: '{address} closed the connection before it had answered',
  ENOTFOUND: 'the name of {address} is not known to DNS',
  EAI_AGAIN: 'DNS did not answer for {address}',
  EHOSTUNREACH: 'there is no route to {address}',
  ENETUNREACH: 'there is no route to {address}',
  ENOENT: 'there is no socket at {address}: is Envoy running, and is the path right?',
  EACCES: 'the collector may not open {address}: check its permissions',
  HEADERS_TOO_LARGE: '{address} answers with headers of over 16 kB: it is not an Envoy',
  COMPRESSED: '{address} compresses its answer, which it was not asked to: what is between it and the collector?',
  NO_END: '{address} does not tell where its answer ends (neither content-length nor chunked): is it the admin port?',
  CRUMBS: '{address} answers in thousands of pieces of a few bytes: it is not an Envoy',
};

/** Any error of a request as a {@link ScrapeError}. */
export function transportError(error: unknown, circumstances: Circumstances): ScrapeError {
  if (error instanceof ScrapeError) return error;
  const { address, timeoutMs, timedOut, bodyLimitBytes } = circumstances;
  const { code = '', message = String(error) } = (error ?? {}) as { code?: string; message?: string };
  const text = formatTargetAddress(address);
  if (timedOut || /TIMED?OUT/.test(code)) {
    return new ScrapeError(
      `${text} has not answered within ${timeoutMs} ms (scrape.timeout): it is overloaded, or something between drops packets`,
    );
  }
  if (code === 'BODY_TOO_LARGE') {
    return new ScrapeError(
      `the answer is larger than scrape.body_limit (${bodyLimitBytes} bytes): raise it, or let Envoy show less (stats_matcher)`,
    );
  }
  const reason = REASONS[code]?.replace('{address}', text);
  if (reason) return new ScrapeError(reason);
  if (code.startsWith('HPE_')) return new ScrapeError(`${text} does not speak HTTP/1.1: is it the admin port?`);
  return new ScrapeError(`${text}: ${message}`);
}

/** Reasons by HTTP status of `/stats`. */
export function statusError(status: number, body: Buffer): ScrapeError {
  const said =
    body
      .toString('utf8', 0, 120)
      .split('\n')[0]
      ?.replaceAll(/[^\x20-\x7e]/g, '?') ?? '';
  if (status === 403)
    return new ScrapeError('Envoy forbids /stats (403): allow it in admin.allow_paths, with "prefix: /stats?"');
  if (status === 404) return new ScrapeError("there is no /stats at this port (404): is it Envoy's admin port?");
  return new ScrapeError(`/stats was answered with status ${status}${said ? `: "${said}"` : ''}`);
}
