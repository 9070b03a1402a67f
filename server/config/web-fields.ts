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
    if (url === undefined) return { error: `${shown(text)} is not a web address; write http://127.0.0.1:9093` };
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

function webUrl(text: string): URL | undefined {
  if (!/^https?:\/\//i.test(text) || /[\s\p{Cc}]/u.test(text)) return undefined;
  return URL.canParse(text) ? new URL(text) : undefined;
}
