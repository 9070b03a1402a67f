import { signal } from '@preact/signals';

/** The moment that the reader points at, in all charts of the page at once; null while at none. Unix milliseconds. */
export const cursor = signal<number | null>(null);
