import { expect, test } from 'vitest';
import type { ServerInfo } from '../../server/envoy/server-info.ts';
import { identify } from '../../server/mesh/identity.ts';

const INFO: ServerInfo = {
  version: '1.40.0',
  uptimeSeconds: 1,
  nodeId: 'checkout-7d9f',
  nodeCluster: 'checkout',
  region: 'eu-west-1',
  zone: 'eu-west-1a',
};
const SOURCES = { address: '10.0.0.5:9901', host: '10.0.0.5' };

test.each([
  ['/server_info alone', {}, INFO, ['checkout', 'checkout-7d9f', '', 'eu-west-1', 'eu-west-1a']],
  [
    'labels first',
    { service: 'cart', instance: 'cart-1', namespace: 'shop', region: 'us', zone: 'us-1' },
    INFO,
    ['cart', 'cart-1', 'shop', 'us', 'us-1'],
  ],
  ['each label for itself', { service: 'cart', zone: 'z' }, INFO, ['cart', 'checkout-7d9f', '', 'eu-west-1', 'z']],
  [
    'empty labels are none',
    { service: '', instance: '', region: '' },
    INFO,
    ['checkout', 'checkout-7d9f', '', 'eu-west-1', 'eu-west-1a'],
  ],
  ['no /server_info', {}, undefined, ['10.0.0.5', '10.0.0.5:9901', '', '', '']],
  [
    'no /server_info, but labels',
    { service: 'cart', region: 'us' },
    undefined,
    ['cart', '10.0.0.5:9901', '', 'us', ''],
  ],
  [
    "a node as Istio's, unless a label names the service",
    { service: 'cart' },
    { ...INFO, nodeId: 'sidecar~10.0.0.5~web-1.shop~shop.svc.cluster.local', nodeCluster: 'web.shop' },
    ['cart', 'sidecar~10.0.0.5~web-1.shop~shop.svc.cluster.local', '', 'eu-west-1', 'eu-west-1a'],
  ],
  [
    'a name with a dot that is no namespace',
    {},
    { ...INFO, nodeId: 'sidecar~10.0.0.5~web-1.shop~shop.svc.cluster.local', nodeCluster: 'web.v2' },
    ['web.v2', 'sidecar~10.0.0.5~web-1.shop~shop.svc.cluster.local', '', 'eu-west-1', 'eu-west-1a'],
  ],
  [
    'an Envoy without a node',
    {},
    { ...INFO, nodeId: '', nodeCluster: '', region: '', zone: '' },
    ['10.0.0.5', '10.0.0.5:9901', '', '', ''],
  ],
])('%s', (_, labels, info, [service, instance, namespace, region, zone]) => {
  expect(identify({ ...SOURCES, labels, info })).toMatchObject({ service, instance, namespace, region, zone });
});

test.each([
  ['a label', { region: 'label' }, INFO, 'label'],
  ['Envoy’s own locality', {}, INFO, 'eu-west-1'],
  ['discovery', {}, { ...INFO, region: '' }, 'node-region'],
])('a region that discovery falls back to counts after labels and Envoy: %s', (_, labels, info, region) => {
  const fallbackPlace = { region: 'node-region', zone: '' };
  expect(identify({ ...SOURCES, labels, info, fallbackPlace })).toMatchObject({ region });
});

test.each([
  ['a name', { service: 'front-proxy' }, undefined, 'gateway'],
  ['an instance', { service: 'web', instance: 'eu-edge-1' }, undefined, 'gateway'],
  ['a node id beside labels', { service: 'web', instance: 'web-1' }, { ...INFO, nodeId: 'ingress-1' }, 'gateway'],
  ['a node cluster', {}, { ...INFO, nodeCluster: 'api-gateway' }, 'gateway'],
  ['nothing that names a gateway', {}, INFO, 'sidecar'],
  ['a frontend', { service: 'frontend' }, INFO, 'sidecar'],
])('role by %s', (_, labels, info, namedRole) => {
  expect(identify({ ...SOURCES, labels, info })).toMatchObject({ labelledRole: '', namedRole });
});

test('a role by label is kept apart from the one by name', () => {
  const identity = identify({ ...SOURCES, labels: { service: 'edge', role: 'sidecar' }, info: undefined });
  expect(identity).toMatchObject({ labelledRole: 'sidecar', namedRole: 'gateway' });
});
