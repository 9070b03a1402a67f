/** Points of series as numbers until they are rendered: there may be half a million. */

import type { Point } from './contract.ts';

/** Points that are rendered at once. */
const PIECE = 1000;

interface Steps {
  /** Unix milliseconds; the last step ends at `to`. */
  readonly from: number;
  readonly to: number;
  readonly step: number;
}

/** When the points of series are that share their steps. */
export class Times {
  readonly length: number;
  private readonly steps: Steps;
  /** What stands in JSON before each point's value. */
  private starts: string[] | undefined;

  constructor(steps: Steps) {
    this.steps = steps;
    this.length = Math.ceil((steps.to - steps.from) / steps.step);
  }

  at(index: number): number {
    return this.steps.from + index * this.steps.step;
  }

  start(index: number): string {
    this.starts ??= Array.from({ length: this.length }, (_, at) => `${at > 0 ? '],' : '['}[${this.at(at)},`);
    return this.starts[index] ?? '';
  }
}

/** One value per step, NaN where it is not known. */
export class Points {
  readonly length: number;
  private readonly times: Times;
  private readonly values: Float64Array;

  constructor(times: Times, values: Float64Array) {
    this.times = times;
    this.values = values;
    this.length = values.length;
  }

  toJSON(): Point[] {
    return Array.from(this.values, (value, index) => [this.times.at(index), Number.isFinite(value) ? value : null]);
  }

  /** As JSON, in pieces. */
  *pieces(): Generator<string> {
    const { values, times } = this;
    for (let first = 0; first < values.length; first += PIECE) {
      let text = '';
      const end = Math.min(values.length, first + PIECE);
      for (let index = first; index < end; index++) {
        const value = values[index] ?? Number.NaN;
        text += times.start(index);
        text += Number.isFinite(value) ? value : 'null';
      }
      yield text;
    }
    yield values.length > 0 ? ']]' : '[]';
  }
}
