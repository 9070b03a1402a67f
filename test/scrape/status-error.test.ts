import { expect, test } from 'vitest';
import { statusError } from '../../server/scrape/scrape-error.ts';

const status = (message: string) => JSON.stringify({ kind: 'Status', apiVersion: 'v1', metadata: {}, message });

/** What an API server answers in a pod's place, as a real one words it, and what is made of it. */
const PROXIED: readonly [status: number, body: string, error: RegExp][] = [
  [
    503,
    status('error trying to reach service: dial tcp 10.0.0.5:9901: connect: connection refused'),
    /bound to 127.0.0.1 is open to its own pod alone; bind it to 0.0.0.0/,
  ],
  [503, status('error trying to reach service: dial tcp 10.0.0.5:9901: i/o timeout'), /does not reach the pod \(503\)/],
  [
    403,
    status('pods "a" is forbidden: User "u" cannot get resource "pods/proxy" in API group "" in the namespace "b"'),
    /needs the verb get on pods\/proxy, as in deploy\/kubernetes\/proxy\/rbac.yaml/,
  ],
  [404, status('pods "a" not found'), /^the pod is gone$/],
  [503, 'connection refused', /status 503: "connection refused"/],
  [403, 'pods/proxy', /Envoy forbids \/stats/],
  [500, status('connection refused'), /status 500/],
];

test.each(PROXIED)('%i %s', (code, body, error) => {
  expect(statusError(code, Buffer.from(body)).message).toMatch(error);
});
