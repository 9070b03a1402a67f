import { share } from '../format/number.ts';
import { Figure } from './figure.tsx';

interface ShareBarProps {
  /** From 0 to 1. */
  readonly part: number;
}

/** A share as a length and a figure. */
export function ShareBar({ part }: ShareBarProps) {
  return (
    <span class="share-bar">
      <svg viewBox="0 0 40 8" width="40" height="8" aria-hidden="true">
        <rect class="whole" width="40" height="8" />
        <rect class="part" width={40 * Math.min(1, part)} height="8" />
      </svg>
      <Figure quantity={share(part)} />
    </span>
  );
}
