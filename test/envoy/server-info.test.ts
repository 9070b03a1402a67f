import { describe, expect, test } from 'vitest';
import { parseServerInfo } from '../../server/envoy/server-info.ts';
import { capture } from './captures.ts';

describe('/server_info', () => {
  test.each([
    ['1.36.4', 55],
    ['1.37.0', 56],
    ['1.38.3', 55],
    ['1.39.3', 56],
    ['1.40.0', 55],
  ])('of Envoy %s', (version, uptimeSeconds) => {
    expect(parseServerInfo(capture(`${version}/server_info.json`))).toEqual({
      version,
      uptimeSeconds,
      nodeId: 'rich-1',
      nodeCluster: 'lab',
      region: 'eu-west-1',
      zone: 'eu-west-1a',
    });
  });

  const unnamed = { version: '', uptimeSeconds: 7, nodeId: '', nodeCluster: '', region: '', zone: '' };

  test.each<[string, object, object]>([
    ['no more than its uptime', {}, {}],
    [
      'an Envoy before 1.16, which names itself by its options',
      {
        version: '12345/1.14.4/Clean/RELEASE/BoringSSL',
        command_line_options: { service_cluster: 'checkout', service_node: 'checkout-1', service_zone: 'eu-1a' },
      },
      { version: '1.14.4', nodeId: 'checkout-1', nodeCluster: 'checkout', zone: 'eu-1a' },
    ],
    [
      'options beside a node',
      {
        node: { id: 'n', cluster: 'c', locality: { region: 'r', zone: 'z' } },
        command_line_options: { service_cluster: 'other', service_node: 'other', service_zone: 'other' },
      },
      { nodeId: 'n', nodeCluster: 'c', region: 'r', zone: 'z' },
    ],
    [
      'empty options, as Envoy prints them',
      {
        node: { id: '', cluster: '' },
        command_line_options: { service_cluster: '', service_node: '', service_zone: '' },
      },
      {},
    ],
    ['a development version', { version: 'abc/1.41.0-dev/Modified/DEBUG/BoringSSL' }, { version: '1.41.0-dev' }],
    ['a version of another shape', { version: 'custom' }, {}],
    ['fields of other types', { version: 5, node: 'x', command_line_options: null }, {}],
    ['a node whose fields have other types', { node: { id: 5, cluster: ['c'], locality: { region: {} } } }, {}],
  ])('with %s', (_, fields, expected) => {
    const body = Buffer.from(JSON.stringify({ uptime_current_epoch: '7s', ...fields }));
    expect(parseServerInfo(body)).toEqual({ ...unnamed, ...expected });
  });

  test.each([
    ['nothing', ''],
    ['half of it', '{"version":"a/1.40.0/b","uptime_current_epoch":"7s"'],
    [
      'the one line of Envoy before 1.9',
      'envoy 5d25f466c3410c0dfa735d7d4358beb76b2da507/1.5.0/Clean/RELEASE live 571 571 0\n',
    ],
    ['HTML', '<!DOCTYPE html><html></html>'],
    ['null', 'null'],
    ['a list', '[{"uptime_current_epoch":"7s"}]'],
    ['a text', '"7s"'],
    ['an uptime beyond all time', '{"uptime_current_epoch":"1000000000s"}'],
    ['no uptime', '{"version":"a/1.40.0/b"}'],
    ['an uptime that is a number', '{"uptime_current_epoch":7}'],
    ['a negative uptime', '{"uptime_current_epoch":"-7s"}'],
    ['an uptime without a unit', '{"uptime_current_epoch":"7"}'],
    ['bytes that are no text', '\u0000\u0001\u0002'],
  ])('%s is none', (_, body) => {
    expect(parseServerInfo(Buffer.from(body))).toBeUndefined();
  });
});
