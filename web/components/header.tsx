import { live } from '../state/collector.ts';
import { addressOf, location } from '../state/router.ts';
import { LiveControl } from './live-control.tsx';
import { RangeChoice } from './range-choice.tsx';
import { ThemeSwitch } from './theme-switch.tsx';

/** Where one can go, what time is looked at, and whether it is live. */
export function Header() {
  const { page } = location.value;
  const targets = live.latestTick.value?.targets;
  const down = targets ? targets.total - targets.up : 0;
  return (
    <header class="bar">
      <a class="mark-and-name" href={addressOf({ name: 'fleet' })}>
        <svg viewBox="0 0 16 16" aria-hidden="true">
          <path d="M1.5 12h3V8h3v4h3V4h4" />
        </svg>
        Sidelight
      </a>
      <nav aria-label="Pages">
        <a href={addressOf({ name: 'fleet' })} aria-current={page.name === 'fleet' ? 'page' : undefined}>
          Fleet
        </a>
        <a href={addressOf({ name: 'targets' })} aria-current={page.name === 'targets' ? 'page' : undefined}>
          Targets
          {down > 0 && <span class="badge bad"> {down} down</span>}
        </a>
      </nav>
      {page.name === 'fleet' || page.name === 'service' || page.name === 'instance' ? (
        <RangeChoice />
      ) : (
        <span class="range" />
      )}
      <LiveControl />
      <ThemeSwitch />
    </header>
  );
}
