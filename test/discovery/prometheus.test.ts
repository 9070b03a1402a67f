/** The same rules on the same targets, given to Sidelight and to the real Prometheus. */

import { expect, onTestFinished, test } from 'vitest';
import { type RunningPrometheus, startPrometheus } from '../running-prometheus.ts';
import { RELABEL_CASES, type RelabelCase } from './relabel-cases.ts';
import { relabelled } from './relabelling.ts';

/** A busy machine starts a Prometheus slowly. */
const PATIENT = { timeout: 40_000, interval: 50 };
/** Labels that Prometheus adds by itself. */
const ITS_OWN = ['job', 'instance'];
/** A template of a target label that comes out empty or as no name: versions of Prometheus differ. */
const DIFFERS = ['a target label that would be none'];

/** A Prometheus with one job per case, which asks none of the targets while the test runs. */
async function prometheusWith(cases: readonly RelabelCase[]): Promise<RunningPrometheus> {
  const files: Record<string, string> = {};
  const jobs = cases.map(({ rules, before }, index) => {
    files[`${index}.json`] = JSON.stringify([{ targets: ['127.0.0.1:9901'], labels: before }]);
    return { job_name: `case-${index}`, file_sd_configs: [{ files: [`${index}.json`] }], relabel_configs: rules };
  });
  const prometheus = await startPrometheus({ global: { scrape_interval: '1h' }, scrape_configs: jobs }, { files });
  onTestFinished(() => prometheus.stop());
  return prometheus;
}

test('Prometheus gives every case the labels that Sidelight gives it', { timeout: 60_000 }, async () => {
  const cases = RELABEL_CASES.filter(({ name }) => !DIFFERS.includes(name));
  const prometheus = await prometheusWith(cases);
  await expect
    .poll(async () => {
      const { activeTargets, droppedTargets } = await prometheus.targets();
      return activeTargets.length + droppedTargets.length;
    }, PATIENT)
    .toBe(cases.length);
  const { activeTargets } = await prometheus.targets();
  const theirs = new Map(activeTargets.map(({ scrapePool, labels }) => [scrapePool, labels]));
  const found = cases.map(({ name, rules, before }, index) => {
    const labels = theirs.get(`case-${index}`);
    const own = labels && Object.fromEntries(Object.entries(labels).filter(([label]) => !ITS_OWN.includes(label)));
    return { name, prometheus: own ?? null, sidelight: relabelled(rules, before) };
  });
  expect(found.map(({ name, sidelight }) => ({ name, labels: sidelight }))).toEqual(
    found.map(({ name, prometheus }) => ({ name, labels: prometheus })),
  );
});
