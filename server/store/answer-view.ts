/** Groups of an answer, whose cells look their numbers up when they are asked for. */

import type { EncodedAnswer, EncodedGroups } from './answer.ts';
import { CellView, PassingCell } from './answer-cell.ts';
import { isMeasured, placeOf } from './answer-place.ts';
import type { Cell, EachCell, Group, SeriesLabel, SeriesLabels, SumAnswer } from './store.ts';

export function decodeAnswer(answer: EncodedAnswer): SumAnswer {
  return {
    groups: groupsOf(answer, answer.groups),
    other: groupsOf(answer, answer.other)[0] ?? null,
    subtotals: answer.subtotals.map((groups) => groupsOf(answer, groups)),
    tiers: answer.tiers,
  };
}

function groupsOf(answer: EncodedAnswer, { by, values, places }: EncodedGroups): Group[] {
  return places.map((at, group) => {
    const labels: Partial<Record<SeriesLabel, string>> = {};
    for (let i = 0; i < by.length; i++) labels[by[i] ?? 'service'] = values[group * by.length + i] ?? '';
    return new GroupView(answer, labels, at);
  });
}

/** Makes its cells when they are asked for: an answer may have a million of them. */
class GroupView implements Group {
  readonly labels: SeriesLabels;
  private readonly answer: EncodedAnswer;
  private readonly at: number;
  private made: (Cell | null)[] | undefined;

  constructor(answer: EncodedAnswer, labels: SeriesLabels, at: number) {
    this.answer = answer;
    this.labels = labels;
    this.at = at;
  }

  get cells(): (Cell | null)[] {
    this.made ??= this.makeCells();
    return this.made;
  }

  private makeCells(): (Cell | null)[] {
    const { answer } = this;
    const place = placeOf(answer, this.at);
    const cells: (Cell | null)[] = [];
    for (let index = 0; index < answer.cells; index++)
      cells.push(isMeasured(answer, place, index) ? new CellView(answer, place, index) : null);
    return cells;
  }

  eachCell(found: EachCell): void {
    const { answer } = this;
    const place = placeOf(answer, this.at);
    const cell = new PassingCell(answer, place, 0);
    for (let index = 0; index < answer.cells; index++)
      found(isMeasured(answer, place, index) ? cell.at(index) : null, index);
  }
}
