/** Shows what was asked for together, together. */

import { batch } from '@preact/signals';

/** Longest wait for the last of several answers, in milliseconds: the others are then shown without it. */
export const PATIENCE_MS = 250;

export interface Together {
  /** A question is under way; returns what tells that it no longer is. */
  started(): () => void;
  /** Calls `show` as soon as nothing is under way, or the wait is over. */
  show(show: () => void): void;
}

/** `after` calls back once after a while. */
export function createTogether(after: (ms: number, callback: () => void) => void): Together {
  let underWay = 0;
  let waiting: (() => void)[] = [];
  const flush = () => {
    const ready = waiting;
    waiting = [];
    batch(() => {
      for (const show of ready) show();
    });
  };
  return {
    started() {
      underWay += 1;
      return () => {
        underWay -= 1;
        if (underWay === 0) flush();
      };
    },
    show(show) {
      waiting.push(show);
      if (waiting.length === 1) after(PATIENCE_MS, flush);
    },
  };
}
