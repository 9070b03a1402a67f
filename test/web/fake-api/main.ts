/** Runs the fake API beside a built dashboard: `node test/web/fake-api/main.ts [PORT] [INTERVAL in ms] [SCENARIO]`. */

import { join } from 'node:path';
import { FakeApi, type FakeScenario } from './fake-api.ts';

const [port = '9292', intervalMs = '5000', scenario = 'mesh'] = process.argv.slice(2);
const fake = new FakeApi({ webFolder: join(import.meta.dirname, '../../../web/dist'), intervalMs: Number(intervalMs) });
fake.scenario = scenario as FakeScenario;
await fake.start(Number(port));
setInterval(() => fake.tick(), Number(intervalMs));
console.log(`fake API at ${fake.url}: nothing in it is measured`);
