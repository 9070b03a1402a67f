import { expect, test } from 'vitest';
import { plainlyTooMany } from '../../server/envoy/plainly-too-many.ts';

const stats = (of: (index: number) => string) => ({
  scalars: Array.from({ length: 12 }, (_, index) => of(index)),
  histograms: [],
});

test.each<[what: string, name: (index: number) => string, found: number]>([
  ['clusters', (index) => `cluster.c${index}.upstream_rq_2xx`, 12],
  ['just as many as may be', (index) => `cluster.c${index}.upstream_rq_${index < 10 ? '2xx' : 'active'}`, 0],
  ['copies', (index) => `cluster.c.${['internal', 'external', 'canary', 'zone.a.b'][index % 4]}.upstream_rq_2xx`, 0],
  ['single codes', (index) => `cluster.c.upstream_rq_${200 + index}`, 0],
  ['other scopes', (index) => `listener.l${index}.downstream_rq_2xx`, 0],
])('%s', (_, name, found) => {
  expect(plainlyTooMany(stats(name), 10)).toBe(found);
});
