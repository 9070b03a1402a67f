import { expect, test } from 'vitest';
import { type ClusterHosts, ClustersError, readClusters } from '../../server/envoy/clusters.ts';
import { capture, captureJson, sentByCluster, type Truth } from './captures.ts';

const VERSIONS = ['1.36.4', '1.40.0'] as const;

const byName = (clusters: readonly ClusterHosts[]) => new Map(clusters.map((one) => [one.cluster, one.hosts]));

test.each(VERSIONS)('Envoy %s: JSON and text of the same moment tell the same', (version) => {
  const json = byName(readClusters(capture(`${version}/1_clusters.json`)));
  const text = byName(readClusters(capture(`${version}/1_clusters.txt`)));
  expect(json.size).toBe(60);
  const withHosts = [...json].filter(([, hosts]) => hosts.length > 0);
  const hostsOf = (found: typeof json, name: string) =>
    [...(found.get(name) ?? [])].sort((a, b) => a.address.localeCompare(b.address));
  for (const [name] of withHosts) expect([name, hostsOf(text, name)]).toEqual([name, hostsOf(json, name)]);
  expect([...text].filter(([, hosts]) => hosts.length > 0)).toHaveLength(withHosts.length);
});

/** Clusters under retries count tries; the TLS loop answers itself. */
const TRIES_DIFFER = /retr|tls_loop|mirror|shadow/;

test.each(VERSIONS)('Envoy %s: hosts count what was sent to their clusters', (version) => {
  const clusters = byName(readClusters(capture(`${version}/1_clusters.json`)));
  const sent = [...sentByCluster(captureJson<Truth>(`${version}/truth.json`).phase_1)];
  const compared = sent.filter(([name]) => !TRIES_DIFFER.test(name));
  expect(compared.length).toBeGreaterThan(15);
  for (const [name, classes] of compared) {
    const hosts = clusters.get(name) ?? [];
    const success = hosts.reduce((sum, host) => sum + host.success, 0);
    const error = hosts.reduce((sum, host) => sum + host.error, 0);
    const { '5xx': failed = 0, ...others } = classes;
    const answered = Object.values(others).reduce((sum, count) => sum + count, 0);
    expect([name, success, error]).toEqual([name, answered, failed]);
  }
});

test('hosts of pass-through clusters carry the name that was asked for', () => {
  const clusters = byName(readClusters(capture('1.40.0/1_clusters.json')));
  expect(clusters.get('dynamic_forward_proxy_cluster')).toEqual([
    { address: '127.0.0.1:21001', hostname: 'localhost:21001', region: '', zone: '', total: 10, success: 10, error: 0 },
  ]);
  expect(clusters.get('original_dst')?.[0]?.hostname).toBe('original_dst127.0.0.1:21002');
  expect(clusters.get('service_a')?.[0]).toMatchObject({ region: 'eu-west-1', zone: 'eu-west-1a' });
});

const host = (fields: object) => JSON.stringify({ cluster_statuses: [{ name: 'c', host_statuses: [fields] }] });
const at = (address: object, ...stats: object[]) => host({ address, stats });
const SOCKET = { socket_address: { address: '::1', port_value: 80 } };

test.each([
  ['an IPv6 address', at(SOCKET), ['[::1]:80']],
  ['a socket', at({ pipe: { path: '/run/a.sock' } }), ['/run/a.sock']],
  ['an internal address', at({ envoy_internal_address: { server_listener_name: 'x' } }), []],
  ['a number as a number', at(SOCKET, { name: 'rq_total', value: 7 }), ['[::1]:80']],
  ['a negative count', at(SOCKET, { name: 'rq_total', value: '-7' }), []],
  ['a count beyond what is exact', at(SOCKET, { name: 'rq_error', value: '18446744073709551615' }), []],
  ['a stat called like a method', at(SOCKET, { name: 'toString', value: 'x' }, { name: '__proto__' }), ['[::1]:80']],
  ['hosts that are no list', JSON.stringify({ cluster_statuses: [{ name: 'c', host_statuses: 5 }] }), []],
  ['no clusters', '{}', []],
  ['nothing', '', []],
])('%s', (_, body, addresses) => {
  const hosts = readClusters(Buffer.from(body)).flatMap((cluster) => cluster.hosts);
  expect(hosts.map(({ address }) => address)).toEqual(addresses);
});

test.each([
  ['half a JSON', '{"cluster_statuses":[', 'the JSON ends early or is damaged'],
  ['another JSON', '{"stats":[]}', 'there are no cluster_statuses'],
  ['a web page', '<html>\nplease wait\n</html>', 'it is not what /clusters answers'],
])('%s is refused with a reason', (_, body, reason) => {
  expect(() => readClusters(Buffer.from(body))).toThrow(new ClustersError(reason));
});

test('in the text, names and addresses may hold ::', () => {
  const lines = [
    'version_info::1.6.0',
    'a::observability_name::a',
    'a::added_via_api::false',
    'a::[fe80::1]:80::rq_total::4',
    'a::[fe80::1]:80::rq_error::3',
    'a::[fe80::1]:80::hostname::a[fe80::1]:80',
    'a::b::observability_name::a::b',
    'a::b::10.0.0.1:80::rq_total::5',
    'a::b::10.0.0.1:80::region::eu',
    'a:80::added_via_api::true',
    'a:80::/run/x.sock::rq_success::6',
  ];
  const found = readClusters(Buffer.from(`${lines.join('\n')}\n`));
  expect(found.map(({ cluster, hosts }) => [cluster, hosts])).toEqual([
    [
      'a',
      [{ address: '[fe80::1]:80', hostname: 'a[fe80::1]:80', region: '', zone: '', total: 4, success: 0, error: 3 }],
    ],
    ['a__b', [{ address: '10.0.0.1:80', hostname: '', region: 'eu', zone: '', total: 5, success: 0, error: 0 }]],
    ['a_80', [{ address: '/run/x.sock', hostname: '', region: '', zone: '', total: 0, success: 6, error: 0 }]],
  ]);
});
