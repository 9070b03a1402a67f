/** Runs the truth test of three-services, the live faults and restarts on every version of Envoy: `npm run test:versions [VERSION …]`. */

import { spawnSync } from 'node:child_process';
import { envoyVersions } from '../../server/demo/envoy.ts';

const TESTS = ['three-services', 'faults', 'semantics'].map((name) => `test/e2e/${name}.test.ts`);

const asked = process.argv.slice(2);
const failed = (asked.length > 0 ? asked : envoyVersions).filter((version) => {
  console.log(`\nEnvoy ${version}`);
  const { status } = spawnSync('npx', ['vitest', 'run', ...TESTS], {
    env: { ...process.env, ENVOY_VERSION: version },
    stdio: 'inherit',
  });
  return status !== 0;
});
console.log(failed.length === 0 ? '\nall versions passed' : `\nfailed on Envoy ${failed.join(', ')}`);
process.exitCode = failed.length === 0 ? 0 : 1;
