import fc from 'fast-check';
import { expect, test } from 'vitest';
import { formatTargetAddress, parseHost, parsePort, parseTargetAddress } from '../../server/model/target.ts';

/** The canonical text of an address, or what is wrong with it. */
function canonical(text: string): string {
  const parsed = parseTargetAddress(text);
  return parsed.ok ? formatTargetAddress(parsed.address) : parsed.error;
}

const FORMS = '10.0.0.5:9901, [::1]:9901, https://host:9901 or unix:/run/envoy.sock';

test('an address in its parts', () => {
  expect(parseTargetAddress('https://[::1]:9901')).toEqual({
    ok: true,
    address: { scheme: 'https', host: '::1', port: 9901, path: '' },
  });
  expect(parseTargetAddress('unix:/run/envoy.sock')).toEqual({
    ok: true,
    address: { scheme: 'unix', host: '', port: 0, path: '/run/envoy.sock' },
  });
});

test.for<[text: string, canonical: string]>([
  ['127.0.0.1:9901', '127.0.0.1:9901'],
  ['http://127.0.0.1:9901', '127.0.0.1:9901'],
  ['HTTP://127.0.0.1:9901/', '127.0.0.1:9901'],
  ['https://Host.Example:9901', 'https://host.example:9901'],
  ['checkout_1.default.svc.cluster.local.:65535', 'checkout_1.default.svc.cluster.local.:65535'],
  ['host:1', 'host:1'],
  ['host:09901', 'host:9901'],
  ['[::1]:9901', '[::1]:9901'],
  ['[0:0:0:0:0:0:0:1]:9901', '[::1]:9901'],
  ['http://[FE80::A]:9901', '[fe80::a]:9901'],
  ['unix:/run/envoy.sock', 'unix:/run/envoy.sock'],
  ['unix:///run/envoy.sock', 'unix:/run/envoy.sock'],
  ['unix:/a:b,c', 'unix:/a:b,c'],
])('%s is %s', ([text, expected]) => {
  expect(canonical(text)).toBe(expected);
});

test.for<[text: string, error: string]>([
  ['', `an empty target; write ${FORMS}`],
  ['a b:1', `"a b:1" has white space in it; write ${FORMS}`],
  ['host', '"host" has no port; write host:9901'],
  ['host:', '"host:" has no port; write host:9901'],
  ['[::1]', '"[::1]" has no port; write [::1]:9901'],
  ['https://host', '"host" has no port; write https://host:9901'],
  [':9901', '":9901" has no host; write 127.0.0.1:9901'],
  ['host:0', 'port 0 is out of range; a port is 1 to 65535'],
  ['host:99999', 'port 99999 is out of range; a port is 1 to 65535'],
  ['host:http', '"http" is not a port; a port is a number from 1 to 65535'],
  ['::1:9901', '"::1:9901" has several colons; write an IPv6 address as [::1]:9901'],
  ['256.0.0.1:9901', `"256.0.0.1" is not a host name or an IP address; write ${FORMS}`],
  ['127.1:9901', `"127.1" is not a host name or an IP address; write ${FORMS}`],
  ['010.0.0.1:9901', `"010.0.0.1" is not a host name or an IP address; write ${FORMS}`],
  ['[::g]:9901', `"[::g]" is not a host name or an IP address; write ${FORMS}`],
  ['-host:9901', `"-host" is not a host name or an IP address; write ${FORMS}`],
  ['hôte:9901', `"hôte" is not a host name or an IP address; write ${FORMS}`],
  ['ftp://host:21', `"ftp://host:21" has the unknown scheme ftp; write ${FORMS}`],
  ['host:9901/stats', '"host:9901/stats" has a path; a target is only the admin address: write host:9901'],
  ['https://host:1/a?b', '"host:1/a?b" has a path; a target is only the admin address: write https://host:1'],
  ['http://u:p@host:1', 'a target cannot carry a user name or a password; leave out what is before @'],
  ['unix:run/envoy.sock', '"unix:run/envoy.sock" has no absolute path; write unix:/run/envoy.sock'],
  ['unix:/', '"unix:/" has no absolute path; write unix:/run/envoy.sock'],
  [`unix:/${'x'.repeat(107)}`, "the socket's path is longer than 107 bytes; use a shorter one"],
  [`${'x'.repeat(300)}:1`, `"${'x'.repeat(79)}…" is not a host name or an IP address; write ${FORMS}`],
])('%j: %s', ([text, error]) => {
  expect(parseTargetAddress(text)).toEqual({ ok: false, error });
});

test('any text is an address or an error, and a canonical address stands for itself', () => {
  const partial = fc.array(
    fc.constantFrom('unix:', 'http://', 'https://', 'host', ':', '9901', '[', ']', '::1', '/', '.', '@'),
  );
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string({ unit: 'binary' }),
        partial.map((parts) => parts.join('')),
      ),
      (text) => {
        const parsed = parseTargetAddress(text);
        if (parsed.ok) expect(parseTargetAddress(formatTargetAddress(parsed.address))).toEqual(parsed);
        else expect(parsed.error).not.toMatch(/[\n\r]/);
      },
    ),
  );
});

test('hosts and ports of listen addresses', () => {
  expect(parseHost('[::1]')).toBe('::1');
  expect(parseHost('LOCALHOST')).toBe('localhost');
  expect(parseHost('')).toBeUndefined();
  expect(parsePort('0', 0)).toBe(0);
  expect(parsePort('65536', 0)).toBe('port 65536 is out of range; a port is 0 to 65535');
});
