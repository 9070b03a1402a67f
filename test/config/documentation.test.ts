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
\`16MiB\`, \`10GiB\`. How targets are found is told in [discovery.md](discovery.md). A flag
beats the file: \`--target\` (repeatable), \`--web.listen-address\`, \`--web.config.file\`, \`--storage.path\`, \`--scrape.interval\`, \`--log.level\`, \`--log.format\`.

How \`web.auth\` and \`web.tls\` let people in: [securing.md](securing.md).
What each resolution of \`storage.retention\` holds, and what happens when \`storage.max_size\` is reached:
[storage.md](storage.md).

| key | default | |
|---|---|---|
`;

/** Where maps of keys were written out first. */
type WrittenOut = Map<string, string>;

/**
 * One row per key that holds a value; the keys of a list's entries follow it.
 * A map of keys that was written out before, such as that of TLS, is one row that says where.
 */
function rows(described: Described, path: string, writtenOut: WrittenOut = new Map()): string[] {
  const { properties, items, description = '' } = described;
  const keys = properties ?? items?.properties ?? {};
  const nested = Object.entries(keys);
  const prefix = path === '' ? '' : `${path}${items ? '[]' : ''}.`;
  const first = nested.length > 0 ? writtenOut.get(JSON.stringify(keys)) : undefined;
  if (first !== undefined) return [`| \`${path}\` | | ${description} Keys as under \`${first}\`. |`];
  if (nested.length > 0) writtenOut.set(JSON.stringify(keys), prefix.slice(0, -1));
  const below = nested.flatMap(([name, value]) => rows(value, prefix + name, writtenOut));
  if (path === '' || (properties && nested.length > 0)) return below;
  const value = described.default;
  const shown =
    value === undefined || value === ''
      ? ''
      : `\`${typeof value === 'string' ? value.replaceAll('|', '\\|') : JSON.stringify(value)}\``;
  return [`| \`${path}\` | ${shown} | ${description.replaceAll('|', '\\|')} |`, ...below];
}

test('docs/configuration.md lists every key with its default (npx vitest run test/config -u writes it)', async () => {
  const schema = z.toJSONSchema(configSchema, { io: 'input', unrepresentable: 'any' }) as Described;
  await expect(`${INTRODUCTION}${rows(schema, '').join('\n')}\n`).toMatchFileSnapshot('../../docs/configuration.md');
});
