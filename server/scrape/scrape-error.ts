import { formatTargetAddress, type TargetAddress } from '../model/target.ts';
import { CredentialsError } from '../reach/credentials.ts';

/** Why a scrape failed; the message is for the user: what happened and what to do. */
export class ScrapeError extends Error {
  override name = 'ScrapeError';
  /** Whether the target did not answer in time. */
  readonly timedOut: boolean;

  constructor(message: string, { timedOut = false }: { readonly timedOut?: boolean } = {}) {
    super(message);
    this.timedOut = timedOut;
  }
}

interface Circumstances {
  readonly address: TargetAddress;
  readonly timeoutMs: number;
  readonly timedOut: boolean;
  readonly bodyLimitBytes?: number;
}

const NO_HANDLES = 'the collector has no file handle left for a connection to {address}';

/** Reasons by the code of an error of Node or of {@link HttpError}; `{address}` is the target's. */
const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED:
    'nothing listens at {address}: is Envoy running, and is its admin port open to the collector? One that is bound to 127.0.0.1 is open to its own pod or machine alone',
  ECONNRESET: '{address} closed the connection before it had answered',
  EPIPE: '{address} closed the connection before it had answered',
  ENOTFOUND: 'the name of {address} is not known to DNS',
  EAI_AGAIN: 'DNS did not answer for {address}',
  EHOSTUNREACH: 'there is no route to {address}',
  ENETUNREACH: 'there is no route to {address}',
  ENOENT: 'there is no socket at {address}: is Envoy running, and is the path right?',
  EACCES: 'the collector may not open {address}: check its permissions',
  EMFILE: `${NO_HANDLES} (EMFILE): raise the limit of this process (ulimit -n, LimitNOFILE)`,
  ENFILE: `${NO_HANDLES} (ENFILE): raise the limit of the machine (fs.file-max)`,
  ERR_LINK_LOCAL:
    '{address} is at a link-local address, where clouds keep their metadata: set scrape.allow_link_local if an Envoy is there',
  DEPTH_ZERO_SELF_SIGNED_CERT:
    'the certificate of {address} is signed by itself: give its authority as ca_file under tls',
  SELF_SIGNED_CERT_IN_CHAIN: 'the authority of the certificate of {address} is not known: give it as ca_file under tls',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    'the authority of the certificate of {address} is not known: give it as ca_file under tls',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    'the authority of the certificate of {address} is not known: give it as ca_file under tls',
  CERT_HAS_EXPIRED: 'the certificate of {address} has expired: renew it',
  CERT_NOT_YET_VALID: 'the certificate of {address} is not valid yet: compare the clocks',
  ERR_TLS_CERT_ALTNAME_INVALID:
    'the certificate of {address} is for another name: give the name that it has as server_name under tls',
  ERR_SSL_WRONG_VERSION_NUMBER: '{address} does not speak TLS: take https:// away, or tls from its entry',
  ERR_SSL_PACKET_LENGTH_TOO_LONG: '{address} does not speak TLS: take https:// away, or tls from its entry',
  ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED:
    '{address} asks for a client certificate: give cert_file and key_file under tls',
  ERR_SSL_TLSV1_ALERT_UNKNOWN_CA: '{address} does not know the authority of our client certificate: give another one',
  ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE:
    '{address} refuses the TLS handshake: it may ask for a client certificate (cert_file and key_file under tls)',
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
      { timedOut: true },
    );
  }
  if (error instanceof CredentialsError) return new ScrapeError(message);
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

/** What an API server says that stands between us and a pod (`access: proxy`), by its status and words. */
const PROXY_REASONS: readonly (readonly [status: number, said: RegExp, reason: string])[] = [
  [
    403,
    /pods\/proxy/,
    'the API server denies access to the pod (403): our account needs the verb get on pods/proxy, as in deploy/kubernetes/proxy/rbac.yaml',
  ],
  [
    503,
    /connection refused/,
    'nothing listens at this port of the pod: an admin port that is bound to 127.0.0.1 is open to its own pod alone; bind it to 0.0.0.0 and set admin.allow_paths, or name the port of its Prometheus listener by the annotation sidelight.io/port',
  ],
  [
    503,
    /timeout|no route|deadline/,
    'the API server does not reach the pod (503): is it running, and does a network policy let the API server in?',
  ],
  [404, /pods .{1,260} not found/, 'the pod is gone'],
];

function proxyReason(status: number, body: Buffer): string | undefined {
  const text = body.toString('utf8', 0, 2048);
  if (!/^\s*\{\s*"kind":\s*"Status"/.test(text)) return undefined;
  return PROXY_REASONS.find(([code, said]) => code === status && said.test(text))?.[2];
}

/** Reasons by HTTP status of `/stats`. */
export function statusError(status: number, body: Buffer): ScrapeError {
  const reason = proxyReason(status, body);
  if (reason !== undefined) return new ScrapeError(reason);
  const said =
    body
      .toString('utf8', 0, 120)
      .split('\n')[0]
      ?.replaceAll(/[^\x20-\x7e]/g, '?') ?? '';
  if (status >= 300 && status < 400)
    return new ScrapeError(`/stats is redirected (${status}), which is not followed: is it Envoy's admin port?`);
  if (status === 401)
    return new ScrapeError('/stats asks who we are (401): give a token or a name and password under auth');
  if (status === 403)
    return new ScrapeError('Envoy forbids /stats (403): allow it in admin.allow_paths, with "prefix: /stats?"');
  if (status === 404) return new ScrapeError("there is no /stats at this port (404): is it Envoy's admin port?");
  return new ScrapeError(`/stats was answered with status ${status}${said ? `: "${said}"` : ''}`);
}
