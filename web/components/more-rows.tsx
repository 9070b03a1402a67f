import type { VNode } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { returning } from '../state/router.ts';

/** Rows that are drawn before anyone scrolls, and that each further stretch adds. */
const STRETCH = 60;
const AHEAD_PX = 800;

interface ShownRows<Row> {
  readonly shown: readonly Row[];
  /** Stands below the rows; draws more when it comes near, or is pressed. */
  readonly more: VNode | null;
}

/**
 * Draws a long table as far as it is looked at. Starts anew whenever `asked`, the search and order, changes; on coming
 * back to a page it reaches at least to the row that was left.
 */
export function useMoreRows<Row>(rows: readonly Row[], asked: string, rowKey: (row: Row) => string): ShownRows<Row> {
  const [reach, setReach] = useState({ asked, rows: STRETCH });
  const left = returning.value?.row;
  const leftAt = left === undefined ? -1 : rows.findIndex((row) => rowKey(row) === left);
  const length = Math.max(reach.asked === asked ? reach.rows : STRETCH, leftAt + 1);
  const extend = () => setReach({ asked, rows: length + STRETCH });
  const remaining = rows.length - length;
  return {
    shown: remaining > 0 ? rows.slice(0, length) : rows,
    more: remaining > 0 ? <MoreRows key={length} remaining={remaining} onNear={extend} /> : null,
  };
}

interface MoreRowsProps {
  readonly remaining: number;
  onNear(): void;
}

function MoreRows({ remaining, onNear }: MoreRowsProps) {
  const button = useRef<HTMLButtonElement>(null);
  const latest = useRef(onNear);
  latest.current = onNear;
  useEffect(() => {
    if (!button.current) return;
    const observer = new IntersectionObserver(
      (entries) => entries.some(({ isIntersecting }) => isIntersecting) && latest.current(),
      {
        rootMargin: `${AHEAD_PX}px`,
      },
    );
    observer.observe(button.current);
    return () => observer.disconnect();
  }, []);
  return (
    <button type="button" class="small more" ref={button} onClick={onNear}>
      Show more of {remaining} further rows
    </button>
  );
}
