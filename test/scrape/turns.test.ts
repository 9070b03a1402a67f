import { expect, test } from 'vitest';
import { Turns } from '../../server/scrape/turns.ts';

/** Work that takes so long by the clock that it moves. */
class Story {
  private clock = 0;
  private turn = 0;
  private readonly turns = new Turns(8, () => this.clock);
  readonly told: string[] = [];

  /** Counts the turns of the event loop. */
  count(left: number): void {
    this.turn++;
    if (left > 0) setImmediate(() => this.count(left - 1));
  }

  async work(name: string, ms: number): Promise<void> {
    const turn = this.turns.next();
    if (turn) await turn;
    this.told.push(`${name} at turn ${this.turn}`);
    this.clock += ms;
    await undefined;
    this.told.push(`${name} done`);
  }
}

test('what there is time for is done at once, the rest one by one in later turns, in order', async () => {
  const story = new Story();
  story.count(8);
  const all = ['a', 'b', 'c', 'd', 'e'].map((name) => story.work(name, 5));
  await Promise.all(all);
  await story.work('f', 5);
  const at = (name: string) =>
    Number(/ (\d+)$/.exec(story.told.find((line) => line.startsWith(`${name} at`)) ?? '')?.[1]);
  expect([at('a'), at('b')]).toEqual([1, 1]);
  expect(['c', 'd', 'e'].map(at).every((turn, index, turns) => turn > (turns[index - 1] ?? 1))).toBe(true);
  expect(story.told.filter((line) => line.endsWith('done'))).toEqual([...'abcdef'].map((name) => `${name} done`));
  for (const name of 'cde')
    expect(story.told.indexOf(`${name} done`) - story.told.findIndex((line) => line.startsWith(`${name} at`))).toBe(1);
});
