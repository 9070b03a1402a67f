/** How many alerts fire, where the collector tells. */

import { computed, effect, signal } from '@preact/signals';
import { api, ask } from '../api.ts';
import { live } from './collector.ts';

/** As the collector told when the page was opened; the first tick may be a while away. */
const atFirst = signal<number | null>(null);

/** Alerts that fire now; null while that is not known. */
export const firingAlerts = computed<number | null>(() => {
  const firing: unknown = live.latestTick.value?.alerts?.firing ?? atFirst.value;
  return typeof firing === 'number' && Number.isFinite(firing) ? firing : null;
});

/** Asks once. */
export async function learnAlerts(): Promise<void> {
  try {
    const { alerts } = await ask(api.alerts(), new AbortController().signal);
    atFirst.value = alerts.filter(({ state }) => state === 'firing').length;
  } catch {
    // The next tick tells.
  }
}

const USUAL_ICON = '/favicon.svg';
const SIZE = 32;
const MOST_SHOWN = 99;

/** Shows on the tab's icon how many alerts fire. */
export function showFiringOnIcon(): void {
  effect(() => {
    const icon = document.querySelector<HTMLLinkElement>('link[rel=icon]');
    const firing = firingAlerts.value ?? 0;
    if (!icon || (firing === 0 && icon.getAttribute('href') === USUAL_ICON)) return;
    icon.type = firing === 0 ? 'image/svg+xml' : 'image/png';
    icon.href = firing === 0 ? USUAL_ICON : drawn(firing);
  });
}

/** A red square with the number: read at 16 pixels, in light and dark tabs. */
function drawn(firing: number): string {
  const canvas = document.createElement('canvas');
  canvas.width = SIZE;
  canvas.height = SIZE;
  const pen = canvas.getContext('2d');
  if (!pen) return USUAL_ICON;
  const text = firing > MOST_SHOWN ? `${MOST_SHOWN}+` : String(firing);
  pen.fillStyle = '#c62828';
  pen.beginPath();
  pen.roundRect(0, 0, SIZE, SIZE, 6);
  pen.fill();
  pen.fillStyle = '#ffffff';
  pen.textAlign = 'center';
  pen.textBaseline = 'middle';
  pen.font = `bold ${[24, 24, 20, 15][text.length] ?? 15}px system-ui, sans-serif`;
  pen.fillText(text, SIZE / 2, SIZE / 2 + 2);
  return canvas.toDataURL('image/png');
}
