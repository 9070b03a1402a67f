import { DASH, type Quantity } from '../format/number.ts';
import { type Explained, explainedByPointer } from './explained.ts';

interface FigureProps {
  readonly quantity: Quantity;
  /** Where the figure comes from and what it rests on. */
  readonly words?: string;
  /** How the words are reached; by the pointer alone if not said. */
  readonly explanation?: Explained;
  /** A lower bound: shown as "more than". */
  readonly capped?: boolean;
  /** Rests on too little data. */
  readonly weak?: boolean;
}

/** One figure with its unit. A dash stands for what is not known, and its words say why. */
export function Figure({ quantity, words = '', explanation, capped = false, weak = false }: FigureProps) {
  const missing = quantity.digits === DASH;
  const kind = missing ? 'figure missing' : `figure${weak ? ' weak' : ''}${capped ? ' capped' : ''}`;
  return (
    <span class={kind} {...(explanation ?? (words === '' ? {} : explainedByPointer(words)))}>
      {capped && !missing ? '> ' : ''}
      {missing ? <Missing words={words} /> : quantity.digits}
      {quantity.unit !== '' && <span class="unit"> {quantity.unit}</span>}
    </span>
  );
}

function Missing({ words }: { readonly words: string }) {
  return (
    <>
      <span aria-hidden="true">{DASH}</span>
      <span class="unseen">{words || 'not known'}</span>
    </>
  );
}
