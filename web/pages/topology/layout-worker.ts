/** Lays out beside the page, so that it never stands still. */

import type { Structure } from './geometry.ts';
import { place } from './layout.ts';

self.addEventListener('message', (event: MessageEvent<Structure>) => self.postMessage(place(event.data)));
