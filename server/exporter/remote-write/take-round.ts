/** The samples of /metrics at one moment, as a round. */

import type { LiveTarget } from '../../live/live.ts';
import { type CollectorFamily, writeCollector } from '../collector-families.ts';
import { type FamilySink, LabelSet, type Labels } from '../families.ts';
import { takeSnapshot } from '../mesh-snapshot.ts';
import { type ExporterOptions, samples } from '../render.ts';
import type { Round } from './round.ts';
import { SeriesSink } from './series-sink.ts';
import { SeriesTable } from './series-table.ts';

export interface RoundTakerOptions extends ExporterOptions {
  readonly isNative: boolean;
  readonly externalLabels: Labels;
  /** Labels of the collector's own series, which would be those of another collector too. */
  readonly ownLabels: Labels;
}

export interface RoundInput {
  readonly targets: readonly LiveTarget[];
  /** Whether all that there is to be discovered is among them. */
  readonly isComplete: boolean;
  /** The collector's own metrics. */
  readonly own: readonly CollectorFamily[];
  /** Unix milliseconds. */
  readonly at: number;
}

/** Remembers the series of one receiver. A round that was not taken to its end ends a taker's use. */
export class RoundTaker {
  private readonly options: RoundTakerOptions;
  private readonly table: SeriesTable;
  private readonly sink: SeriesSink;

  constructor(options: RoundTakerOptions) {
    this.options = options;
    this.table = new SeriesTable(options);
    this.sink = new SeriesSink({ table: this.table, isNative: options.isNative });
  }

  /** Yields between slices of work and returns the round. @throws SeriesLimitError */
  *take({ targets, isComplete, own, at }: RoundInput): Generator<undefined, Round> {
    this.table.begin();
    const snapshot = yield* takeSnapshot(targets, this.options.level);
    yield* samples(snapshot, { ...this.options, now: at }, this.sink);
    writeCollector(own, this.ownSink());
    const isSettled = isComplete && targets.every(({ health }) => health !== 'unknown');
    return this.table.finish(at, isSettled);
  }

  private ownSink(): FamilySink {
    const { sink, options } = this;
    let family = '';
    return {
      begin(begun) {
        family = begun.name;
        sink.begin(begun);
      },
      sample: (labels, value, extra) => this.ownSink().suffixed('', labels, value, extra),
      histogram: (labels, histogram) => sink.histogram(labels, histogram),
      suffixed(suffix, { labels }, value, extra) {
        if (Number.isNaN(value)) return;
        const set = new LabelSet({ ...options.ownLabels, ...labels });
        if (options.filter(family + suffix, set, extra)) sink.suffixed(suffix, set, value, extra);
      },
    };
  }
}
