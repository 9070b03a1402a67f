import { parseHost, parsePort } from '../model/target.ts';
import { field, type Parsed, textField } from './fields.ts';
import { described, shown } from './problem.ts';

export interface ListenAddress {
  /** Empty: all interfaces. IPv6 addresses are without brackets. */
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
}

const TRACE_WORDS = ['service', 'from', 'to', 'from_ms', 'to_ms'];

/** `host:port`, `[::1]:9191`, or `:9191` for all interfaces. */
export function listenField() {
  return field((written): Parsed<ListenAddress> => {
    if (typeof written !== 'string' && typeof written !== 'number') {
      return { error: `expected an address such as "127.0.0.1:9191", found ${described(written)}` };
    }
    const text = String(written);
    if (/^\d+$/.test(text))
      return { error: `${text} has no colon; write 127.0.0.1:${text}, or :${text} for all interfaces` };
    const match = /^(\[[^\]]*\]|[^:]*):([^:]*)$/.exec(text);
    if (match === null) return { error: `${shown(text)} is not host:port; write 127.0.0.1:9191, [::1]:9191 or :9191` };
    const [, hostText = '', portText = ''] = match;
    const host = hostText === '' ? '' : parseHost(hostText);
    if (host === undefined)
      return { error: `${shown(hostText)} is not a host name or an IP address; write 127.0.0.1:9191` };
    const port = parsePort(portText, 0);
    return typeof port === 'string' ? { error: port } : { value: { host, port } };
  });
}

/** An http or https address without query, fragment, user or password; or empty. */
export function externalUrlField() {
  return textField('https://sidelight.example.com', (text) => {
    if (text === '') return { value: '' };
    const url = webUrl(text);
    if (url === undefined)
      return { error: `${shown(text)} is not a web address; write https://sidelight.example.com/path` };
    if (url.search !== '' || url.hash !== '' || url.username !== '' || url.password !== '') {
      return { error: 'only scheme, host, port and path are allowed; leave out user, password, ? and #' };
    }
    return { value: url.href.replace(/\/+$/, '') };
  });
}

/** An http or https address without user and password. */
export function webAddressField() {
  return textField('http://127.0.0.1:9093', (text) => {
    const url = webUrl(text);
    // What follows a host may be a token.
    const beginning = text.replace(/^([a-z]+:\/\/)?([^/?#]*).*$/is, '$1$2').replace(/^.*@/, '');
    if (url === undefined) return { error: `${shown(beginning)} is not a web address; write http://127.0.0.1:9093` };
    if (url.username !== '' || url.password !== '')
      return { error: 'leave out user and password; write them as headers' };
    return { value: url.href };
  });
}

/** An http or https address without query, user and password; or empty. */
export function otlpEndpointField() {
  return textField('http://127.0.0.1:4318', (text) => {
    if (text === '') return { value: '' };
    const url = webUrl(text);
    if (url === undefined) return { error: `${shown(text)} is not a web address; write http://127.0.0.1:4318` };
    if (url.search !== '' || url.hash !== '' || url.username !== '' || url.password !== '')
      return { error: 'leave out user, password, ? and #; secrets go into headers, header_files or auth' };
    return { value: url.href.replace(/\/+$/, '') };
  });
}

/** An http or https address with the places `{service}`, `{from}`, `{to}`, `{from_ms}` and `{to_ms}`; or empty. */
export function traceUrlField() {
  return textField('https://jaeger.example.com/search?service={service}', (text) => {
    if (text === '') return { value: '' };
    if (webUrl(text.replaceAll(/\{\w+\}/g, 'x')) === undefined) {
      return {
        error: `${shown(text)} is not a web address; write https://jaeger.example.com/search?service={service}`,
      };
    }
    const unknown = [...text.matchAll(/\{(\w+)\}/g)].find(([, word = '']) => !TRACE_WORDS.includes(word));
    if (unknown !== undefined)
      return { error: `${unknown[0]} stands for nothing; use {service}, {from}, {to}, {from_ms} and {to_ms}` };
    return { value: text };
  });
}

/** Stands for a database that is gone with the process. */
const MEMORY = ':memory:';

/** A path of a file that need not exist, or `:memory:`. */
export function fileField(example: string) {
  return field((written): Parsed<string> => {
    if (typeof written !== 'string')
      return { error: `expected a file's path such as ${example}, found ${described(written)}` };
    if (written === '' || written.includes('\0'))
      return { error: `${shown(written)} is not a file's path; write ${example}` };
    if (written === MEMORY) return { value: written };
    if (written.startsWith(':'))
      return { error: `${shown(written)} is not a file; write a path such as ${example}, or ${MEMORY}` };
    if (written.endsWith('/')) return { error: `${shown(written)} is a folder; write a file in it` };
    return { value: written };
  });
}

/** A host name, an IP address, `*.example.com`, or `*` for all; without a port. */
export function hostPatternField() {
  return textField('sidelight.example.com', (text) => {
    if (text === '*') return { value: text };
    const name = text.startsWith('*.') ? text.slice(2) : text;
    const host = parseHost(name.includes(':') && !name.startsWith('[') ? `[${name}]` : name);
    if (host !== undefined) return { value: text.startsWith('*.') ? `*.${host}` : host };
    return { error: `${shown(text)} is not a host name; write sidelight.example.com, without scheme and port` };
  });
}

/** Response headers that may be set, as in Prometheus's `http_server_config`, and which values they take. */
const HEADERS: Readonly<Record<string, RegExp>> = {
  'Content-Security-Policy': /^[\x20-\x7e]+$/,
  'X-Frame-Options': /^(?:deny|sameorigin)?$/i,
  'X-Content-Type-Options': /^(?:nosniff)?$/i,
  'X-XSS-Protection': /^[\x20-\x7e]*$/,
  'Strict-Transport-Security': /^[\x20-\x7e]+$/,
};

/** Headers of all answers in place of the built-in ones; an empty value leaves one out. */
export function responseHeadersField() {
  const names = Object.keys(HEADERS);
  return field((written): Parsed<Readonly<Record<string, string>>> => {
    if (typeof written !== 'object' || written === null || Array.isArray(written))
      return { error: `expected a map of headers, found ${described(written)}` };
    for (const [name, value] of Object.entries(written)) {
      const pattern = Object.hasOwn(HEADERS, name) ? HEADERS[name] : undefined;
      if (pattern === undefined) return { error: `${shown(name)} can not be set; known here: ${names.join(', ')}` };
      if (typeof value !== 'string' || !pattern.test(value))
        return { error: `${name} can not be ${typeof value === 'string' ? shown(value) : described(value)}` };
    }
    return { value: { ...written } };
  });
}

function webUrl(text: string): URL | undefined {
  if (!/^https?:\/\//i.test(text) || /[\s\p{Cc}]/u.test(text)) return undefined;
  return URL.canParse(text) ? new URL(text) : undefined;
}
