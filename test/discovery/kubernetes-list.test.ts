import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ListSplitter } from '../../server/discovery/kubernetes-list.ts';

function split(text: string, chunkBytes: number): { items: unknown[]; left: unknown } {
  const items: unknown[] = [];
  const splitter = new ListSplitter((json) => items.push(JSON.parse(json.toString('utf8'))), 1_000_000);
  const bytes = Buffer.from(text);
  for (let from = 0; from < bytes.length; from += chunkBytes) splitter.take(bytes.subarray(from, from + chunkBytes));
  return { items, left: JSON.parse(splitter.left().toString('utf8')) };
}

test('any list, in chunks of any size, gives the items that JSON.parse finds', () => {
  const item = fc.dictionary(fc.string({ unit: 'binary' }), fc.jsonValue(), { noNullPrototype: true });
  fc.assert(
    fc.property(fc.array(item), item, fc.nat({ max: 50 }), fc.nat({ max: 4 }), (items, metadata, chunk, indent) => {
      const list = { kind: 'PodList', metadata, items };
      const text = JSON.stringify(list, null, indent);
      const parsed = JSON.parse(text);
      expect(split(text, chunk + 1)).toEqual({ items: parsed.items, left: { ...parsed, items: items.map(() => 0) } });
    }),
  );
});

test('an item or an envelope above the limit is refused', () => {
  const refuses = (text: string) => () => new ListSplitter(() => {}, 100).take(Buffer.from(text));
  expect(refuses(`{"items":[{"a":"${'x'.repeat(200)}`)).toThrow(/an item of the API server's list is larger than 100/);
  expect(refuses(`{"kind":"${'x'.repeat(200)}`)).toThrow(/larger than 100 bytes/);
  expect(refuses(`{"items":[{"a":"${'x'.repeat(60)}"},{"a":"${'x'.repeat(60)}"}]}`)).not.toThrow();
});
