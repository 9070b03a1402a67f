/** A receiver did not take what it was sent; the message is one line and names no address. */
export class DeliveryError extends Error {
  override name = 'DeliveryError';
  /** HTTP status; 0 where none came. */
  readonly status: number;

  constructor(message: string, status = 0) {
    super(message);
    this.status = status;
  }
}

export interface Post {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** JSON. */
  readonly body: string;
  readonly signal: AbortSignal;
  /** How long the receiver may take, in milliseconds. */
  readonly timeoutMs?: number;
}

const TIMEOUT_MS = 10_000;
/** How much of a refusal is told, in characters. */
const TOLD_CHARACTERS = 200;
const READ_BYTES = 4096;
/** What is shorter stands in any text. */
const SHORTEST_SECRET = 6;

/** Posts JSON and waits for a 2xx. Redirects are not followed. @throws DeliveryError */
export async function post({ url, headers, body, signal, timeoutMs = TIMEOUT_MS }: Post): Promise<void> {
  const timeout = AbortSignal.timeout(timeoutMs);
  let response: Response;
  try {
    response = await fetch(url, {
      method: 'POST',
      headers: { ...headers, 'content-type': 'application/json' },
      body,
      redirect: 'manual',
      signal: AbortSignal.any([signal, timeout]),
    });
  } catch (error) {
    throw new DeliveryError(timeout.aborted ? `no answer within ${timeoutMs / 1000} s` : reasonOf(error));
  }
  const said = withoutSecrets(await beginningOf(response).catch(() => ''), { url, headers }).slice(0, TOLD_CHARACTERS);
  if (response.ok) return;
  const { status } = response;
  const isRedirect = status >= 300 && status < 400;
  const hint = isRedirect ? ' (redirects are not followed: write the address that it leads to)' : '';
  throw new DeliveryError(`answered ${status}${hint}${said === '' || isRedirect ? '' : `: ${said}`}`, status);
}

/** A receiver may give back what it was sent: neither headers nor what follows the host of the address is told. */
function withoutSecrets(said: string, { url, headers }: Pick<Post, 'url' | 'headers'>): string {
  const { pathname, search } = new URL(url);
  const parts = Object.values(headers).flatMap((value) => [value, ...value.split(' ')]);
  const secrets = [...parts, pathname + search, pathname, search, ...pathname.split('/')];
  const long = secrets.filter((secret) => secret.length >= SHORTEST_SECRET).sort((a, b) => b.length - a.length);
  return long.reduce((left, secret) => left.replaceAll(secret, '…'), said);
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { cause } = error;
  const inner = cause instanceof AggregateError ? cause.errors[0] : cause;
  return inner instanceof Error && inner.message !== '' ? inner.message : error.message;
}

/** The first line of an answer; the rest is not read. */
async function beginningOf(response: Response): Promise<string> {
  const reader = response.body?.getReader();
  if (!reader) return '';
  const pieces: Uint8Array[] = [];
  let bytes = 0;
  while (bytes < READ_BYTES) {
    const { done, value } = await reader.read();
    if (done) break;
    pieces.push(value);
    bytes += value.length;
  }
  await reader.cancel();
  const [line = ''] = Buffer.concat(pieces)
    .toString('utf8')
    .trim()
    .split(/[\r\n]/);
  return line.replaceAll(/\p{Cc}/gu, ' ');
}
