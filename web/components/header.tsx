import { firingAlerts } from '../state/alerts.ts';
import { live, status } from '../state/collector.ts';
import { addressOf, location } from '../state/router.ts';
import type { PlainPage } from '../state/url.ts';
import { LiveControl } from './live-control.tsx';
import { RangeChoice } from './range-choice.tsx';
import { PAGE_KEYS } from './shortcuts.ts';
import { ThemeSwitch } from './theme-switch.tsx';

/** Pages whose figures cover the chosen time. */
const OVER_TIME: ReadonlySet<string> = new Set(['fleet', 'service', 'instance', 'topology', 'regions']);

/** Where one can go, what time is looked at, and whether it is live. */
export function Header() {
  const { page } = location.value;
  const firing = firingAlerts.value;
  const shown = PAGE_KEYS.filter((entry) => entry.page !== 'rules');
  return (
    <header class="bar">
      <a class="mark-and-name" href={addressOf({ name: 'fleet' })}>
        <svg viewBox="0 0 16 16" aria-hidden="true">
          <path d="M1.5 12h3V8h3v4h3V4h4" />
        </svg>
        <span>Sidelight</span>
      </a>
      <nav aria-label="Pages">
        {shown.map(({ page: name, title, key }) => (
          <a
            key={name}
            href={addressOf({ name })}
            aria-current={isAbout(page.name, name) ? 'page' : undefined}
            aria-keyshortcuts={`g ${key}`}
          >
            {title}
            {name === 'targets' && <DownTargets />}
            {name === 'alerts' && firing !== null && firing > 0 && <Badge amount={firing} word="firing" />}
          </a>
        ))}
      </nav>
      {OVER_TIME.has(page.name) ? <RangeChoice /> : <span class="range" />}
      <LiveControl />
      <ThemeSwitch />
    </header>
  );
}

/** Rules are told of beside their alerts. */
function isAbout(current: string, entry: PlainPage): boolean {
  return current === entry || (entry === 'alerts' && current === 'rules');
}

function DownTargets() {
  const down = live.latestTick.value?.targets.down ?? status.value?.scrape.down ?? 0;
  return down > 0 ? <Badge amount={down} word="down" /> : null;
}

function Badge({ amount, word }: { readonly amount: number; readonly word: string }) {
  return (
    <span class="badge bad">
      {' '}
      {amount}
      <span class="word"> {word}</span>
    </span>
  );
}
