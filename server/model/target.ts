/** Where an Envoy's admin endpoint listens. `host`, `port` and `path` are empty or 0 where the scheme has none. */
export interface TargetAddress {
  readonly scheme: 'http' | 'https' | 'unix';
  /** A name in small letters, or an IP address without brackets. */
  readonly host: string;
  readonly port: number;
  /** Absolute path of a unix socket. */
  readonly path: string;
}

export type ParsedTargetAddress =
  | { readonly ok: true; readonly address: TargetAddress }
  | { readonly ok: false; readonly error: string };

/** Linux refuses longer socket paths (sun_path holds 108 bytes with its closing 0). */
const MAX_SOCKET_PATH_BYTES = 107;

const FORMS = '10.0.0.5:9901, [::1]:9901, https://host:9901 or unix:/run/envoy.sock';

/**
 * Reads `host:port`, `[::1]:9901`, `http://host:port`, `https://host:port` or `unix:/path`.
 * The error says what is wrong and what would be right, without repeating where the text stands.
 */
export function parseTargetAddress(text: string): ParsedTargetAddress {
  if (text === '') return failed(`an empty target; write ${FORMS}`);
  if (/[\s\p{Cc}]/u.test(text)) return failed(`${quoted(text)} has white space in it; write ${FORMS}`);
  if (text.startsWith('unix:')) return parseSocket(text);
  const scheme = /^([A-Za-z][A-Za-z0-9+.-]*):\/\//.exec(text);
  if (scheme === null) return parseAuthority(text, 'http');
  const name = scheme[1]?.toLowerCase();
  if (name === 'http' || name === 'https') return parseAuthority(text.slice(scheme[0].length), name);
  return failed(`${quoted(text)} has the unknown scheme ${name}; write ${FORMS}`);
}

/** Canonical text of an address, the same for all spellings of one address: `127.0.0.1:9901`, `https://host:9901`. */
export function formatTargetAddress(address: TargetAddress): string {
  if (address.scheme === 'unix') return `unix:${address.path}`;
  const authority = `${address.host.includes(':') ? `[${address.host}]` : address.host}:${address.port}`;
  return address.scheme === 'https' ? `https://${authority}` : authority;
}

/** The canonical host of a name or IP address (IPv6 in brackets), or undefined when it is none. */
export function parseHost(text: string): string | undefined {
  if (text.startsWith('[')) return parseIpv6(text);
  if (/^[\d.]+$/.test(text)) return isIpv4(text) ? text : undefined;
  const name = text.toLowerCase();
  const labels = name.replace(/\.$/, '').split('.');
  const valid = labels.every((label) => /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/.test(label));
  return valid && name.length <= 253 ? name : undefined;
}

/** A port number from `lowest` to 65535, or in words what is wrong. */
export function parsePort(text: string, lowest: 0 | 1): number | string {
  if (!/^\d+$/.test(text)) return `${quoted(text)} is not a port; a port is a number from ${lowest} to 65535`;
  const port = Number(text);
  return port >= lowest && port <= 65_535 ? port : `port ${text} is out of range; a port is ${lowest} to 65535`;
}

function parseSocket(text: string): ParsedTargetAddress {
  const path = text.slice('unix:'.length).replace(/^\/{2,}/, '/');
  if (!path.startsWith('/') || path === '/') {
    return failed(`${quoted(text)} has no absolute path; write unix:/run/envoy.sock`);
  }
  if (new TextEncoder().encode(path).length > MAX_SOCKET_PATH_BYTES) {
    return failed(`the socket's path is longer than ${MAX_SOCKET_PATH_BYTES} bytes; use a shorter one`);
  }
  return { ok: true, address: { scheme: 'unix', host: '', port: 0, path } };
}

function parseAuthority(text: string, scheme: 'http' | 'https'): ParsedTargetAddress {
  const prefix = scheme === 'https' ? 'https://' : '';
  if (text.includes('@')) return failed('a target cannot carry a user name or a password; leave out what is before @');
  const [authority = '', ...rest] = text.split(/[/?#]/);
  if (rest.join('') !== '' || /[?#]/.test(text)) {
    return failed(`${quoted(text)} has a path; a target is only the admin address: write ${prefix}${authority}`);
  }
  const match = /^(\[[^\]]*\]|[^:]*)(?::([^:]*))?$/.exec(authority);
  if (match === null) return failed(`${quoted(authority)} has several colons; write an IPv6 address as [::1]:9901`);
  const [, hostText = '', portText = ''] = match;
  if (hostText === '') return failed(`${quoted(text)} has no host; write ${prefix}127.0.0.1:9901`);
  const host = parseHost(hostText);
  if (host === undefined) return failed(`${quoted(hostText)} is not a host name or an IP address; write ${FORMS}`);
  if (portText === '') return failed(`${quoted(authority)} has no port; write ${prefix}${hostText}:9901`);
  const port = parsePort(portText, 1);
  return typeof port === 'string' ? failed(port) : { ok: true, address: { scheme, host, port, path: '' } };
}

function parseIpv6(text: string): string | undefined {
  const url = /^\[[0-9A-Fa-f:.]+\]$/.test(text) ? `http://${text}/` : '';
  return URL.canParse(url) ? new URL(url).hostname.slice(1, -1) : undefined;
}

function isIpv4(text: string): boolean {
  const parts = text.split('.');
  return parts.length === 4 && parts.every((part) => /^(?:0|[1-9]\d{0,2})$/.test(part) && Number(part) <= 255);
}

function quoted(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 79)}…` : text);
}

function failed(error: string): ParsedTargetAddress {
  return { ok: false, error };
}
