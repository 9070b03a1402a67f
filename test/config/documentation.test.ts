import { expect, test } from 'vitest';
import { z } from 'zod';
import { configSchema } from '../../server/config/schema.ts';

interface Described {
  readonly type?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly properties?: Readonly<Record<string, Described>>;
  readonly items?: Described;
}

const INTRODUCTION = `# Configuration

One YAML file, \`--config.file=sidelight.yaml\`; every key is optional. Unknown keys are errors, and
\`npm start -- check-config FILE\` names the line of each. Durations are written \`500ms\`, \`15s\`, \`1m30s\`, \`2d\`; sizes
\`16MiB\`, \`10GiB\`. A flag beats the file: \`--target\` (repeatable), \`--web.listen-address\`, \`--storage.path\`,
\`--scrape.interval\`, \`--log.level\`, \`--log.format\`.

What each resolution of \`storage.retention\` holds, and what happens when \`storage.max_size\` is reached:
[storage.md](storage.md).

| key | default | |
|---|---|---|
`;

/** One row per key that holds a value; the keys of a list's entries follow it. */
function rows(described: Described, path: string): string[] {
  const { properties, items, description = '' } = described;
  const nested = Object.entries(properties ?? items?.properties ?? {});
  const prefix = path === '' ? '' : `${path}${items ? '[]' : ''}.`;
  const below = nested.flatMap(([name, value]) => rows(value, prefix + name));
  if (path === '' || (properties && nested.length > 0)) return below;
  const value = described.default;
  const shown =
    value === undefined || value === '' ? '' : `\`${typeof value === 'string' ? value : JSON.stringify(value)}\``;
  return [`| \`${path}\` | ${shown} | ${description.replaceAll('|', '\\|')} |`, ...below];
}

test('docs/configuration.md lists every key with its default (npx vitest run test/config -u writes it)', async () => {
  const schema = z.toJSONSchema(configSchema, { io: 'input', unrepresentable: 'any' }) as Described;
  await expect(`${INTRODUCTION}${rows(schema, '').join('\n')}\n`).toMatchFileSnapshot('../../docs/configuration.md');
});
