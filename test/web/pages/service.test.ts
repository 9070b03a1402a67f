import { expect, test } from 'vitest';
import { traceAddress, traceTemplate } from '../../../web/pages/service/trace-link.ts';

const wish = { service: 'a b&c', from: 1_763_721_600_000, to: 1_763_721_900_000 };

test.each([
  [
    'https://jaeger/search?service={service}&start={from}&end={to}',
    'https://jaeger/search?service=a%20b%26c&start=1763721600000000&end=1763721900000000',
  ],
  ['http://zipkin/?from={from_ms}&to={to_ms}', 'http://zipkin/?from=1763721600000&to=1763721900000'],
  ['https://jaeger/{else}', 'https://jaeger/{else}'],
  ['', null],
  ['javascript:alert(1)', null],
])('%s leads to %s', (template, address) => expect(traceAddress(template, wish)).toBe(address));

test.each([
  [{ web: { traceUrl: 'https://a' } }, 'https://a'],
  [{ web: {} }, ''],
  [null, ''],
  ['text', ''],
  [{ web: { traceUrl: 5 } }, ''],
])('the configuration %j names %j', (config, template) => expect(traceTemplate(config)).toBe(template));
