import { expect, test } from 'vitest';
import { ServiceDirectory, type ServiceName, serviceKey } from '../../server/live/services.ts';
import type { Identity } from '../../server/model/flow.ts';
import { failedScrape, goodScrape } from '../store/records.ts';
import { liveWith } from './live-targets.ts';

interface Member extends Partial<Identity> {
  readonly inbound?: boolean;
}

function directoryOf(...members: Member[]): ServiceDirectory {
  const records = members.map(({ inbound = true, ...identity }, index) =>
    goodScrape({ target: `10.0.0.${index}:9901`, from: 0, to: 1, identity, findings: { inbound } }),
  );
  return new ServiceDirectory(liveWith(records).all());
}

test('a service is what its targets say together', () => {
  const directory = directoryOf(
    { service: 'shop', region: 'us', inbound: false },
    { service: 'shop', region: 'eu', role: 'gateway' },
    { service: 'shop', region: '', inbound: false },
    { service: 'cart', inbound: false },
  );
  expect(directory.all().map(({ targets, ...service }) => ({ ...service, targets: targets.length }))).toEqual([
    { service: 'shop', namespace: '', role: 'gateway', regions: ['eu', 'us'], inbound: true, targets: 3 },
    { service: 'cart', namespace: '', role: 'sidecar', regions: [], inbound: false, targets: 1 },
  ]);
});

test('targets that never told who they are belong to no service', () => {
  expect(new ServiceDirectory(liveWith([failedScrape('10.0.0.1:9901', 1, 'no')]).all()).all()).toEqual([]);
});

test.each<[peer: ServiceName, known: ServiceName[], resolved: ServiceName]>([
  [{ service: 'a', namespace: '' }, [], { service: 'a', namespace: '' }],
  [{ service: 'a', namespace: '' }, [{ service: 'a', namespace: '' }], { service: 'a', namespace: '' }],
  [{ service: 'a', namespace: '' }, [{ service: 'a', namespace: 'x' }], { service: 'a', namespace: 'x' }],
  [{ service: 'a', namespace: 'x' }, [{ service: 'a', namespace: '' }], { service: 'a', namespace: '' }],
  [{ service: 'a', namespace: 'x' }, [{ service: 'a', namespace: 'y' }], { service: 'a', namespace: 'x' }],
  [
    { service: 'a', namespace: 'y' },
    [
      { service: 'a', namespace: 'x' },
      { service: 'a', namespace: 'y' },
    ],
    { service: 'a', namespace: 'y' },
  ],
  [{ service: 'b', namespace: '' }, [{ service: 'a', namespace: '' }], { service: 'b', namespace: '' }],
])('the peer %o among %o is %o', (peer, known, resolved) => {
  expect(directoryOf(...known).resolve(peer)).toEqual(resolved);
});

test('names of services have keys that are never the same', () => {
  const names = [
    { service: 'a', namespace: 'b' },
    { service: 'b', namespace: 'a' },
    { service: 'a"', namespace: ',"b' },
    { service: 'a","b', namespace: '' },
  ];
  expect(new Set(names.map(serviceKey)).size).toBe(names.length);
});
