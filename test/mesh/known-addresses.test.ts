import { expect, test } from 'vitest';
import { KnownAddresses } from '../../server/mesh/known-addresses.ts';

const target = (service: string, host: string, listeners: string[] = [], role: 'gateway' | 'sidecar' = 'sidecar') =>
  ({ service, namespace: '', role, host, listeners }) as const;

const known = new KnownAddresses();
known.set('gateway pod', target('edge', '10.0.0.9', ['0.0.0.0:8443', '127.0.0.1:15021'], 'gateway'));
known.set('silent gateway pod', target('silent', '10.0.0.8', [], 'gateway'));
known.set('pod', target('shop', '10.0.0.1', ['0.0.0.0:15006']));
known.set('IPv6 pod', target('six', 'fd00::1', ['[::]:80']));
known.set('node a', target('a', '10.0.0.2', ['10.0.0.2:80']));
known.set('node b', target('b', '10.0.0.2', ['10.0.0.2:81']));
known.set('here 1', target('front-proxy', '127.0.0.1', ['127.0.0.1:18240'], 'gateway'));
known.set('here 2', target('local', 'localhost', ['0.0.0.0:18300']));
known.set('here by socket', target('socket', '/run/envoy.sock', ['127.0.0.1:18400']));
known.set('container', target('cart', 'cart', ['0.0.0.0:8000']));
known.set('clash 1', target('one', '10.0.0.5', ['10.9.9.9:80']));
known.set('clash 2', target('two', '10.0.0.6', ['10.9.9.9:80']));

test.each([
  ['a listener of a gateway', '10.0.0.9:8443', '', '10.0.0.1', 'edge'],
  ['another port of a gateway, whose listeners are known', '10.0.0.9:9000', '', '10.0.0.1', undefined],
  ['any port of a gateway that does not tell', '10.0.0.8:9000', '', '10.0.0.1', 'silent'],
  ['a port of a pod that its sidecar captures', '10.0.0.1:8080', '', '10.0.0.9', 'shop'],
  ['an IPv6 pod', '[fd00::1]:80', '', '10.0.0.9', 'six'],
  ['a listener on an address of two targets', '10.0.0.2:81', '', '10.0.0.9', 'b'],
  ['another port of such an address', '10.0.0.2:82', '', '10.0.0.9', undefined],
  ['a port of this machine', '127.0.0.1:18240', '', '127.0.0.1', 'front-proxy'],
  ['the same, of a caller at a socket', '127.0.0.1:18240', '', '/run/other.sock', 'front-proxy'],
  ['the same port of a caller elsewhere: its own machine', '127.0.0.1:18240', '', '10.0.0.1', undefined],
  ['a port of this machine for any address', '127.0.0.1:18300', '', 'localhost', 'local'],
  ['a port of a target at a socket', '127.0.0.1:18400', '', '127.0.0.1', 'socket'],
  ['an unknown port of this machine', '127.0.0.1:9', '', '127.0.0.1', undefined],
  ['a container by its name', '172.18.0.5:8000', 'cart', 'shop', 'cart'],
  ['the same with its port', '172.18.0.5:8000', 'cart:8000', 'shop', 'cart'],
  ['a container by its address alone', '172.18.0.5:8000', '', 'shop', undefined],
  ['an address that two claim', '10.9.9.9:80', '', 'shop', undefined],
  ['a socket', '/run/app.sock', '', '/run/envoy.sock', undefined],
])('%s', (_, address, hostname, caller, service) => {
  expect(known.targetAt({ address, hostname, caller })?.service).toBe(service);
});

test('a target that moved or is gone is not found where it was', () => {
  const moving = new KnownAddresses();
  moving.set('a', target('a', '10.0.0.1', ['0.0.0.0:80']));
  const before = moving.version;
  moving.set('a', target('a', '10.0.0.1', ['0.0.0.0:80']));
  expect(moving.version).toBe(before);
  moving.set('a', target('a', '10.0.0.2', ['0.0.0.0:80']));
  const at = (address: string) => moving.targetAt({ address, hostname: '', caller: '10.0.0.9' })?.service;
  expect([at('10.0.0.1:80'), at('10.0.0.2:80')]).toEqual([undefined, 'a']);
  moving.forget('a');
  expect(at('10.0.0.2:80')).toBe(undefined);
  expect(moving.version).toBeGreaterThan(before);
});
