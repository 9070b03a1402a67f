/** The configuration in the form of its file. Pure. */

const INDENT = '  ';
const PLAIN = /^[A-Za-z_/.][\w ./-]*$/;
const DEEPEST = 20;

/** A value as YAML, with quotes where a reader could take it for something else. */
export function configText(value: unknown, depth = 0): string {
  if (depth > DEEPEST) return '…';
  if (Array.isArray(value)) return listText(value, depth);
  if (typeof value === 'object' && value !== null) return mapText(Object.entries(value), depth);
  return scalarText(value);
}

function scalarText(value: unknown): string {
  if (typeof value !== 'string') return JSON.stringify(value) ?? '~';
  return PLAIN.test(value) && !/^(true|false|null|yes|no|on|off)$/i.test(value) ? value : JSON.stringify(value);
}

function listText(values: readonly unknown[], depth: number): string {
  if (values.length === 0) return '[]';
  if (values.every((value) => typeof value !== 'object' || value === null))
    return `[${values.map(scalarText).join(', ')}]`;
  return values.map((value) => `\n${INDENT.repeat(depth)}- ${configText(value, depth + 1).trimStart()}`).join('');
}

function mapText(entries: readonly (readonly [string, unknown])[], depth: number): string {
  const known = entries.filter(([, value]) => value !== undefined);
  if (known.length === 0) return '{}';
  const lines = known.map(([key, value]) => {
    const text = configText(value, depth + 1);
    return `${INDENT.repeat(depth)}${scalarText(key)}:${text.startsWith('\n') ? '' : ' '}${text}`;
  });
  return depth === 0 ? lines.join('\n') : `\n${lines.join('\n')}`;
}
