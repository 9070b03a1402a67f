import { lookup as dnsLookup, type LookupAddress, type LookupOptions } from 'node:dns';
import { BlockList, isIP, type LookupFunction } from 'node:net';

/** Link-local addresses, and where clouds keep their metadata: nothing that a mesh's Envoy listens at. */
const REFUSED = new BlockList();
REFUSED.addSubnet('169.254.0.0', 16, 'ipv4');
REFUSED.addSubnet('fe80::', 10, 'ipv6');
REFUSED.addAddress('fd00:ec2::254', 'ipv6');
/** The IPv4 ones, as NAT64 writes them. */
REFUSED.addSubnet('64:ff9b::a9fe:0', 112, 'ipv6');

/** A connection that would lead to an address that is refused. */
export class RefusedAddressError extends Error {
  override name = 'RefusedAddressError';
  readonly code = 'ERR_LINK_LOCAL';
  readonly ip: string;

  constructor(ip: string) {
    super(`${ip} is a link-local address`);
    this.ip = ip;
  }
}

/** Whether an IP address, in any spelling, is refused; false for names. */
export function isRefusedAddress(host: string): boolean {
  const [address = ''] = host.split('%');
  const family = isIP(address);
  return family !== 0 && REFUSED.check(address, family === 4 ? 'ipv4' : 'ipv6');
}

export type Resolve = (
  hostname: string,
  options: LookupOptions & { all: true },
  done: (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void,
) => void;

/**
 * A lookup for `net.connect` that fails when one of the addresses is refused. The connection goes to the addresses
 * that were looked at here, so a later answer of DNS changes nothing.
 */
export function guardedLookup(resolve: Resolve = dnsLookup): LookupFunction {
  return (hostname, options, done) => {
    resolve(hostname, { ...options, all: true }, (error, addresses) => {
      const refused = error ? undefined : addresses.find(({ address }) => isRefusedAddress(address));
      const [first] = addresses ?? [];
      if (error) done(error, '', 0);
      else if (refused) done(new RefusedAddressError(refused.address), '', 0);
      else if (options.all) done(null, addresses);
      else done(null, first?.address ?? '', first?.family ?? 0);
    });
  };
}
