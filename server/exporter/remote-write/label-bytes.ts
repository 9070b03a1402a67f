/** Labels of series as fields of prometheus.TimeSeries, each piece encoded once. */

import protobuf from 'protobufjs/minimal.js';
import type { Column, LabelPairs } from './round.ts';

const { Writer } = protobuf;
const NAME = '__name__';
/** Field 1 of TimeSeries, and fields 1 and 2 of Label, all with lengths. */
const LABEL = 0x0a;
const LABEL_NAME = 0x0a;
const LABEL_VALUE = 0x12;

/** What a column adds to the labels of a set: `__name__` and, where it has one, another; sorted by name. */
export class ColumnLabels {
  readonly names: readonly string[];
  /** The names as one text. */
  readonly key: string;
  readonly bytes: readonly Uint8Array[];

  constructor({ name, extra }: Pick<Column, 'name' | 'extra'>) {
    const pairs: [string, string][] = [[NAME, name]];
    if (extra.length === 2) pairs.push([...extra]);
    pairs.sort(byName);
    this.names = pairs.map(([label]) => label);
    this.key = this.names.join('\n');
    this.bytes = pairs.map((pair) => labelsMessage([pair]));
  }
}

/** The labels of a set, cut where a column's go in between, so that all are sorted by name as receivers want them. */
export class SetLabels {
  private readonly pairs: LabelPairs;
  private readonly cuts = new Map<string, readonly Uint8Array[]>();

  constructor(pairs: LabelPairs) {
    this.pairs = [...pairs].sort(byName);
  }

  /** One piece more than the column has labels. */
  around({ key, names }: ColumnLabels): readonly Uint8Array[] {
    let cut = this.cuts.get(key);
    if (!cut) {
      const bounds = ['', ...names];
      cut = bounds.map((from, index) => {
        const to = names[index];
        return labelsMessage(this.pairs.filter(([name]) => name > from && (to === undefined || name < to)));
      });
      this.cuts.set(key, cut);
    }
    return cut;
  }
}

/** Empty values are no labels. */
function labelsMessage(pairs: LabelPairs): Uint8Array {
  const message = Writer.create();
  for (const [name, value] of pairs) {
    if (value === '') continue;
    message.uint32(LABEL).fork().uint32(LABEL_NAME).string(name).uint32(LABEL_VALUE).string(value).ldelim();
  }
  return message.finish();
}

/** By code units, which is by bytes for names of labels. */
function byName([a]: readonly [string, string], [b]: readonly [string, string]): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
