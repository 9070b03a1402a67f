import { signal } from '@preact/signals';

/** As in the style sheets. */
const query = window.matchMedia('(max-width: 720px)');

/** Whether the page is as narrow as a phone. */
export const narrow = signal(query.matches);
query.addEventListener('change', ({ matches }) => {
  narrow.value = matches;
});
