import { hash } from 'node:crypto';
import type { EntryConfig, ScrapeConfig } from '../config/config.ts';
import type { Reach } from '../model/reach.ts';

type Own = Pick<EntryConfig, 'tls' | 'auth'>;

/**
 * How the targets of an entry are reached: as it says itself, else as `scrape` says; undefined for plain HTTP.
 * The key tells settings apart and holds none of their secrets.
 */
export function reachOf(entry: Own, scrape: Own & Pick<ScrapeConfig, 'allowLinkLocal'>): Reach | undefined {
  const { tls = scrape.tls, auth = scrape.auth } = entry;
  const { allowLinkLocal } = scrape;
  if (tls === undefined && auth === undefined && !allowLinkLocal) return undefined;
  const key = hash('sha256', JSON.stringify([tls, auth, allowLinkLocal]), 'hex');
  return { key, allowLinkLocal, ...(tls && { tls }), ...(auth && { auth }) };
}
