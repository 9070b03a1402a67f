import { signal } from '@preact/signals';

/** While the page goes to paper, which shows all that the reader would have to scroll to. */
export const printing = signal(false);

window.addEventListener('beforeprint', () => {
  printing.value = true;
});
window.addEventListener('afterprint', () => {
  printing.value = false;
});
