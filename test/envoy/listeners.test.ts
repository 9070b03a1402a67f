import { expect, test } from 'vitest';
import { readListeners } from '../../server/envoy/listeners.ts';
import { capture } from './captures.ts';

test('JSON and text of a real Envoy tell the same addresses', () => {
  const json = readListeners(capture('1.40.0/listeners.json'));
  expect(json).toContain('127.0.0.1:20010');
  expect(readListeners(capture('1.40.0/listeners.txt'))).toEqual(json);
});

test.each([
  [
    'additional addresses',
    '{"listener_statuses":[{"local_address":{"socket_address":{"address":"0.0.0.0","port_value":80}},"additional_local_addresses":[{"socket_address":{"address":"::","port_value":81}}]}]}',
    ['0.0.0.0:80', '[::]:81'],
  ],
  ['text with IPv6', 'in::[::1]:80\nout::0.0.0.0:81\npipe::/run/x\n', ['[::1]:80', '0.0.0.0:81']],
  ['a web page', '<html>', []],
  ['half a JSON', '{"listener_statuses":[', []],
  ['wrong types', '{"socket_address":{"address":5,"port_value":"x"}}', []],
])('%s', (_, body, addresses) => {
  expect(readListeners(Buffer.from(body))).toEqual(addresses);
});
