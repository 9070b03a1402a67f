/** How much one client may have under way, so that others get their answers too. */

import type { RequestHandler, Response } from 'express';
import type { WebLimits } from '../config/web-config.ts';
import { clientOf } from './client-address.ts';
import { RequestError } from './params.ts';

const EVENTS = '/api/v1/events';
const COSTLY = /^\/(?:api\/|metrics(?:$|\/))/i;

/** Counts what is under way, by client. */
export class UnderWay {
  private readonly counts = new Map<string, number>();

  /** Counts until the response has ended; false when there are `most` already. */
  take(client: string, response: Response, most: number): boolean {
    const count = this.counts.get(client) ?? 0;
    if (count >= most) return false;
    this.counts.set(client, count + 1);
    response.once('close', () => this.giveBack(client));
    return true;
  }

  /** Clients with something under way. */
  get clients(): number {
    return this.counts.size;
  }

  private giveBack(client: string): void {
    const left = (this.counts.get(client) ?? 1) - 1;
    if (left > 0) this.counts.set(client, left);
    else this.counts.delete(client);
  }
}

/** Refuses with 429 what one client asks for beyond its limits. */
export function clientLimits(limits: () => WebLimits): RequestHandler {
  const streams = new UnderWay();
  const requests = new UnderWay();
  return (request, response, next) => {
    if (!COSTLY.test(request.path)) {
      next();
      return;
    }
    const isStream = request.path.toLowerCase().replace(/\/$/, '') === EVENTS;
    const { streamsPerClient, requestsPerClient } = limits();
    const [counted, most, what] = isStream
      ? ([streams, streamsPerClient, 'event streams are open'] as const)
      : ([requests, requestsPerClient, 'answers are under way'] as const);
    if (!counted.take(clientOf(request), response, most))
      throw new RequestError(`${most} ${what} for your address already: try again in a second`, 429, 'too_many');
    next();
  };
}
