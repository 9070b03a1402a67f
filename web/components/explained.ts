/** Attributes of something that explains itself on hover, focus and touch, and to screen readers. */
export interface Explained {
  readonly 'data-hint': string;
  readonly 'aria-description'?: string;
  readonly tabIndex?: number;
}

/** Explains on hover and touch; for parts of a row that as a whole explains itself on focus. */
export function explainedByPointer(words: string): Explained {
  return { 'data-hint': words };
}

/** Explains also on focus, of what can have it anyway, such as a link. */
export function explained(words: string): Explained {
  return { 'data-hint': words, 'aria-description': words };
}

/** Explains also on focus, and can be reached with the Tab key. */
export function explainedAlone(words: string): Explained {
  return { 'data-hint': words, 'aria-description': words, tabIndex: 0 };
}
