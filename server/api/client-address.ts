import { isIPv6 } from 'node:net';
import type { Request } from 'express';

/**
 * What tells clients apart: the address that a connection is from. Of an IPv6 address its first 64 bits, since the rest
 * is the client's to choose. Headers of proxies are not believed.
 */
export function clientOf({ socket }: Pick<Request, 'socket'>): string {
  return clientKey(socket.remoteAddress ?? '');
}

/** @param address as Node gives it. */
export function clientKey(address: string): string {
  const plain = address.replace(/^::ffff:(?=\d+\.)/i, '').replace(/%.*$/, '');
  if (!isIPv6(plain)) return plain;
  const [head = '', tail] = plain.toLowerCase().split('::');
  const before = head === '' ? [] : head.split(':');
  const after = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = Array.from({ length: Math.max(0, 8 - before.length - after.length) }, () => '0');
  return `${[...before, ...(tail === undefined ? [] : zeros), ...after].slice(0, 4).join(':')}::/64`;
}
