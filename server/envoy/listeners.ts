/** Where an Envoy listens: `/listeners`, JSON since 1.11, an array of addresses or text before. */

export const LISTENERS_PATH = '/listeners?format=json';

const MOST = 1000;

/** Addresses such as `10.0.0.5:8080`, `0.0.0.0:15006` or `[::]:80`; none where the answer is of another kind. */
export function readListeners(body: Buffer): string[] {
  const text = body.toString('utf8');
  const found = text.trimStart().startsWith('{') || text.trimStart().startsWith('[') ? jsonAddresses(text) : undefined;
  return (found ?? textAddresses(text)).slice(0, MOST);
}

function jsonAddresses(text: string): string[] | undefined {
  const found: string[] = [];
  try {
    JSON.parse(text, function (this: Record<string, unknown>, key: string, value: unknown) {
      const isAddress = key === 'socket_address' && typeof value === 'object' && value !== null;
      if (isAddress) found.push(...socketAddress(value));
      return value;
    });
    return found;
  } catch {
    return undefined;
  }
}

function socketAddress(value: object): string[] {
  const { address, port_value: port } = value as { address?: unknown; port_value?: unknown };
  if (typeof address !== 'string' || typeof port !== 'number') return [];
  return [`${address.includes(':') ? `[${address}]` : address}:${port}`];
}

/** Lines `name::address:port`. */
function textAddresses(text: string): string[] {
  return text.split('\n').flatMap((line) => {
    const address = /::((?:\[[0-9a-fA-F:.]+\]|[\d.]+):\d{1,5})$/.exec(line)?.[1];
    return address === undefined ? [] : [address];
  });
}
