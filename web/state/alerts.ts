/** How many alerts fire, where the collector tells. */

import { computed, effect } from '@preact/signals';
import type { Tick } from '../../server/api/contract.ts';
import { live } from './collector.ts';

type TickWithAlerts = Tick & { readonly alerts?: { readonly firing?: number } };

/** Alerts that fire now; null while the collector has not told of alerts at all. */
export const firingAlerts = computed<number | null>(() => {
  const tick: TickWithAlerts | null = live.latestTick.value;
  const firing = tick?.alerts?.firing;
  return typeof firing === 'number' && Number.isFinite(firing) ? firing : null;
});

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
