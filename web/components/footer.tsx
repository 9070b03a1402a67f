import { spanInWords } from '../format/time.ts';
import { scrapeIntervalMs, status } from '../state/collector.ts';

/** The keys, the collector's version, and where the same figures are for machines. */
export function Footer() {
  const known = status.value;
  return (
    <footer class="foot">
      <span class="keys">
        <kbd>/</kbd> search <kbd>j</kbd> <kbd>k</kbd> move <kbd>Enter</kbd> open <kbd>p</kbd> pause
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
