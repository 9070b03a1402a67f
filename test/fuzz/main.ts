/** `npm run fuzz -- [--bodies=1000000] [--seed=N] [--form=NAME] [--at=INDEX]`: damaged bodies without end, reproducibly. */

import { mkdirSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { FORM_NAMES, type FormName } from '../envoy/five-forms.ts';
import { type Failure, fuzz, shrink, type Tally } from './fuzzer.ts';

interface Options {
  readonly bodies: number;
  readonly seed: number;
  readonly forms: readonly FormName[];
  /** The only body to check. */
  readonly at: number | undefined;
}

const PORTION = 5000;

const options = readOptions();
if (typeof options === 'string') {
  console.error(options);
  process.exitCode = 1;
} else if (!(await run(options))) process.exitCode = 1;

function readOptions(): Options | string {
  const defaults = {
    bodies: { type: 'string' },
    seed: { type: 'string' },
    form: { type: 'string' },
    at: { type: 'string' },
  } as const;
  const { values } = parseArgs({ options: defaults });
  const numbers = { bodies: 1_000_000, seed: Date.now() % 1_000_000, at: -1 };
  for (const key of ['bodies', 'seed', 'at'] as const) {
    const text = values[key];
    if (text === undefined) continue;
    if (!/^\d{1,15}$/.test(text)) return `--${key}=${text}: a whole number is needed`;
    numbers[key] = Number(text);
  }
  const forms = FORM_NAMES.filter((form) => values.form === undefined || form === values.form);
  if (forms.length === 0) return `--form=${values.form}: one of ${FORM_NAMES.join(', ')}`;
  return { bodies: numbers.bodies, seed: numbers.seed, forms, at: numbers.at < 0 ? undefined : numbers.at };
}

/** False when a body failed. */
async function run({ bodies, seed, forms, at }: Options): Promise<boolean> {
  if (at !== undefined) {
    for (const form of forms) if (!report(form, seed, await fuzz({ form, seed, from: at, count: 1 }))) return false;
    return true;
  }
  const each = Math.ceil(bodies / forms.length);
  const start = performance.now();
  let done = 0;
  for (let from = 0; from < each; from += PORTION) {
    const count = Math.min(PORTION, each - from);
    for (const form of forms) {
      if (!report(form, seed, await fuzz({ form, seed, from, count }))) return false;
      done += count;
    }
    const seconds = (performance.now() - start) / 1000;
    const held = Math.round(process.memoryUsage().rss / 1e6);
    console.log(
      `seed ${seed}: ${done} of ${each * forms.length} bodies, ${Math.round(done / seconds)} per second, ${held} MB`,
    );
  }
  return true;
}

function report(form: FormName, seed: number, { failure }: Tally): boolean {
  if (failure) console.error(described(form, seed, failure));
  return failure === undefined;
}

/** Keeps the smallest body and says how to repeat the failure. */
function described(form: FormName, seed: number, { index, problem, found }: Failure): string {
  const folder = new URL('../output/', import.meta.url);
  const file = `fuzz-${form}-${seed}-${index}.body`;
  const smallest = problem.startsWith('memory') ? found.body : shrink(found, problem);
  mkdirSync(folder, { recursive: true });
  writeFileSync(new URL(file, folder), smallest);
  return [
    `${form}: ${problem}`,
    `smallest body (${smallest.length} of ${found.body.length} bytes): test/output/${file}`,
    `again: npm run fuzz -- --form=${form} --seed=${seed} --at=${index}`,
  ].join('\n');
}
