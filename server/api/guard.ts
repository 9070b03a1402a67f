/** Keeps pages of other sites from asking in a browser's name: by the Host header, and by where a change is asked from. */

import { BlockList, isIP, isIPv6 } from 'node:net';
import type { Request, RequestHandler } from 'express';
import type { WebConfig } from '../config/config.ts';
import { RequestError } from './params.ts';

const LOOPBACK = new BlockList();
LOOPBACK.addSubnet('127.0.0.0', 8, 'ipv4');
LOOPBACK.addAddress('::1', 'ipv6');

/** Whether an address, or the name `localhost`, leads to this machine only. */
export function isLoopback(host: string): boolean {
  if (host === 'localhost') return true;
  const family = isIP(host);
  return family !== 0 && LOOPBACK.check(host, family === 4 ? 'ipv4' : 'ipv6');
}

export interface HostRules extends Pick<WebConfig, 'allowedHosts' | 'externalUrl'> {
  /** The IP address that is listened on. */
  readonly address: string;
}

/**
 * Whether a client may ask for `host`, a Host header. A page that has DNS lead its own name here is refused, since a
 * browser then says that name; addresses can't be led anywhere. `local` is the address that the connection came in at.
 */
export function isAllowedHost(host: string, { allowedHosts, externalUrl, address }: HostRules, local = ''): boolean {
  const name = hostOf(host);
  if (name === undefined) return false;
  if (allowedHosts.length === 0 && !isLoopback(address)) return true;
  if (isLoopback(name) || name === plainAddress(local)) return true;
  if (externalUrl !== '' && name === hostOf(new URL(externalUrl).host)) return true;
  return allowedHosts.some((pattern) => fits(name, pattern));
}

function fits(name: string, pattern: string): boolean {
  if (pattern === '*') return true;
  return pattern.startsWith('*.') ? name.endsWith(pattern.slice(1)) : name === pattern;
}

/** The host of a Host header in small letters, without port, brackets and a dot at its end. */
function hostOf(header: string): string | undefined {
  const [, bracketed, name = ''] = /^(?:\[([\da-f:.]+)\]|([^:[\]\s/@?#\\]+))(?::\d{0,5})?$/i.exec(header) ?? [];
  if (bracketed !== undefined) return isIPv6(bracketed) ? bracketed.toLowerCase() : undefined;
  return name === '' ? undefined : name.toLowerCase().replace(/\.$/, '');
}

function plainAddress(address: string): string {
  return address.replace(/^::ffff:/i, '').toLowerCase();
}

/** Refuses what is asked for under a name that is not ours. HTTP/1.0 without a Host is no browser. */
export function hostGuard(rules: () => HostRules): RequestHandler {
  return (request, _, next) => {
    const { host } = request.headers;
    if (host !== undefined && !isAllowedHost(host, rules(), request.socket.localAddress))
      throw new RequestError(
        `Sidelight does not go by the name ${JSON.stringify(host.slice(0, 100))}: ask for localhost, or add the name to web.allowed_hosts`,
        421,
        'wrong_host',
      );
    next();
  };
}

/** A page of another site must not make a browser change anything. @throws RequestError 403 */
export function refuseOtherSites(request: Request): void {
  const site = request.get('sec-fetch-site') ?? 'none';
  const origin = request.get('origin');
  const isOwn = origin === undefined || (URL.canParse(origin) && new URL(origin).host === request.get('host'));
  if ((site === 'none' || site === 'same-origin') && isOwn) return;
  throw new RequestError('a page of another site may not ask for this', 403, 'not_allowed');
}
