import { spanInWords } from '../format/time.ts';
import { scrapeIntervalMs, status } from '../state/collector.ts';
import { helpOpen } from './help-open.ts';

function openHelp(): void {
  helpOpen.value = true;
}

/** The keys, the collector's version, and where the same figures are for machines. */
export function Footer() {
  const known = status.value;
  return (
    <footer class="foot">
      <span class="keys">
        <kbd>/</kbd> search <kbd>j</kbd> <kbd>k</kbd> move <kbd>Enter</kbd> open <kbd>p</kbd> pause{' '}
        <button type="button" class="link" onClick={openHelp}>
          <kbd>?</kbd> all keys
        </button>
      </span>
      <span>
        {known ? `Sidelight ${known.build.version}, ` : ''}scrapes every {spanInWords(scrapeIntervalMs.value)}
      </span>
      <span>
        <a href="/metrics">Prometheus metrics</a>
      </span>
    </footer>
  );
}
