/**
 * `npm run fuzz -- [--bodies=1000000] [--seed=N] [--form=NAME] [--at=INDEX]`: damaged bodies without end, reproducibly.
 * `npm run fuzz -- api [--requests=1000000] [--seed=N] [--at=INDEX]`: requests to the API.
 */

import { mkdirSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { FORM_NAMES, type FormName } from '../envoy/five-forms.ts';
import { fuzzApi, startFuzzedApi } from './api-fuzzer.ts';
import { CLUSTERS_FORMS, fuzzClusters } from './clusters.ts';
import { fuzz, shrink } from './fuzzer.ts';

/** The first of some bodies or requests that failed. */
interface Failed {
  readonly index: number;
  readonly problem: string;
  /** The smallest body that was found to fail, and the size of the one that was. */
  readonly body?: Buffer;
  readonly size?: number;
}

interface Range {
  readonly seed: number;
  readonly from: number;
  readonly count: number;
}

/** What can be fuzzed, by name; gives the first failure. */
type Subject = (range: Range) => Promise<Failed | undefined>;

interface Options {
  readonly count: number;
  readonly seed: number;
  readonly isApi: boolean;
  readonly forms: readonly string[];
  /** The only body or request to check. */
  readonly at: number | undefined;
}

const PORTION = 5000;

const CLUSTERS = Object.fromEntries(
  CLUSTERS_FORMS.map((form) => [
    `clusters-${form}`,
    async (range: Range) => {
      const { failure } = fuzzClusters({ form, ...range });
      return failure && { ...failure, size: failure.body.length };
    },
  ]),
);
const BODIES: Readonly<Record<string, Subject>> = {
  ...Object.fromEntries(FORM_NAMES.map((form) => [form, (range: Range) => fuzzStats(form, range)])),
  ...CLUSTERS,
};

const options = readOptions();
if (typeof options === 'string') {
  console.error(options);
  process.exitCode = 1;
} else if (!(await (options.isApi ? runApi(options) : run(options, BODIES)))) process.exitCode = 1;

function readOptions(): Options | string {
  const text = { type: 'string' } as const;
  const { values, positionals } = parseArgs({
    options: { bodies: text, requests: text, seed: text, form: text, at: text },
    allowPositionals: true,
  });
  const isApi = positionals[0] === 'api';
  if (positionals.length > (isApi ? 1 : 0)) return `${positionals.at(-1)}: write api, or nothing for bodies of Envoys`;
  const numbers = { bodies: 1_000_000, requests: 1_000_000, seed: Date.now() % 1_000_000, at: -1 };
  for (const key of ['bodies', 'requests', 'seed', 'at'] as const) {
    const written = values[key];
    if (written === undefined) continue;
    if (!/^\d{1,15}$/.test(written)) return `--${key}=${written}: a whole number is needed`;
    numbers[key] = Number(written);
  }
  const forms = Object.keys(BODIES).filter((form) => values.form === undefined || form === values.form);
  if (forms.length === 0) return `--form=${values.form}: one of ${Object.keys(BODIES).join(', ')}`;
  const { seed, at, bodies, requests } = numbers;
  return { count: isApi ? requests : bodies, seed, isApi, forms, at: at < 0 ? undefined : at };
}

async function runApi(options: Options): Promise<boolean> {
  const api = await startFuzzedApi();
  const statuses = new Map<number, number>();
  const subject: Subject = async (range) => {
    const tally = await fuzzApi(api, range);
    for (const [status, count] of tally.statuses) statuses.set(status, (statuses.get(status) ?? 0) + count);
    return tally.failure;
  };
  try {
    return await run({ ...options, forms: ['api'] }, { api: subject });
  } finally {
    console.log(
      [...statuses]
        .sort(([a], [b]) => a - b)
        .map(([status, count]) => `${status}: ${count}`)
        .join(', '),
    );
    await api.stop();
  }
}

/** False when a body or request failed. */
async function run({ count, seed, forms, at }: Options, subjects: Readonly<Record<string, Subject>>): Promise<boolean> {
  const check = async (form: string, range: Range) => report(form, seed, await subjects[form]?.(range));
  if (at !== undefined) {
    for (const form of forms) if (!(await check(form, { seed, from: at, count: 1 }))) return false;
    return true;
  }
  const each = Math.ceil(count / forms.length);
  const start = performance.now();
  let done = 0;
  for (let from = 0; from < each; from += PORTION) {
    const portion = Math.min(PORTION, each - from);
    for (const form of forms) {
      if (!(await check(form, { seed, from, count: portion }))) return false;
      done += portion;
    }
    const seconds = (performance.now() - start) / 1000;
    const held = Math.round(process.memoryUsage().rss / 1e6);
    console.log(
      `seed ${seed}: ${done} of ${each * forms.length}, ${Math.round(done / seconds)} per second, ${held} MB`,
    );
  }
  return true;
}

async function fuzzStats(form: FormName, range: Range): Promise<Failed | undefined> {
  const { failure } = await fuzz({ form, ...range });
  if (!failure) return undefined;
  const { index, problem, found } = failure;
  return {
    index,
    problem,
    body: problem.startsWith('memory') ? found.body : shrink(found, problem),
    size: found.body.length,
  };
}

function report(form: string, seed: number, failure: Failed | undefined): boolean {
  if (failure) console.error(described(form, seed, failure));
  return failure === undefined;
}

/** Keeps the smallest body and says how to repeat the failure. */
function described(form: string, seed: number, { index, problem, body, size }: Failed): string {
  const subject = form === 'api' ? 'api' : `--form=${form}`;
  const again = `again: npm run fuzz -- ${subject} --seed=${seed} --at=${index}`;
  if (body === undefined) return `${form}: ${problem}\n${again}`;
  const folder = new URL('../output/', import.meta.url);
  const file = `fuzz-${form}-${seed}-${index}.body`;
  mkdirSync(folder, { recursive: true });
  writeFileSync(new URL(file, folder), body);
  return [`${form}: ${problem}`, `smallest body (${body.length} of ${size} bytes): test/output/${file}`, again].join(
    '\n',
  );
}
