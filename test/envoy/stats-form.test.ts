import { expect, test } from 'vitest';
import { formOf } from '../../server/envoy/stats-form.ts';
import { capture } from './captures.ts';

test.for([
  ['1_stats_detailed_usedonly.txt', 'text'],
  ['idle_stats.txt', 'text'],
  ['1_stats_detailed_usedonly.json', 'json'],
  ['1_stats_cumulative_usedonly.json', 'json'],
  ['1_stats_usedonly.prom', 'prometheus'],
])('%s is %s', ([file, form]) => {
  expect(formOf(capture(`1.40.0/${file}`))).toBe(form);
});

test.for([
  ['server.uptime: 9', 'text'],
  ['uptime: 9', 'text'],
  ['cluster.a b{c="d"}.upstream_rq_2xx: 9', 'text'],
  ['\n {"stats":[]}', 'json'],
  ['# HELP x y', 'prometheus'],
  ['envoy_server_uptime{} 9', 'prometheus'],
  ['istio_requests_total{reporter="source"} 1', 'prometheus'],
  ['my_app 7', 'prometheus'],
  ['my_app NaN', 'prometheus'],
  ['these are words', 'text'],
  ['', 'text'],
])('%j is %s', ([body = '', form]) => {
  expect(formOf(Buffer.from(body))).toBe(form);
});
