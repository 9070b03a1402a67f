/** An engine of the store under test. */

import { onTestFinished } from 'vitest';
import type { ScrapeRecord } from '../../server/model/scrape-record.ts';
import type { Store, StoreOptions } from '../../server/store/store.ts';

export interface Engine {
  readonly name: string;
  /** Opens a new store; `again` opens what was closed. */
  make(options: Partial<StoreOptions>): Promise<OpenedStore>;
}

export interface OpenedStore {
  store: Store;
  /** Closes the store and opens the same again; an engine that forgets gives the same one. */
  again(): Promise<Store>;
}

/** A whole hour of Unix time. */
export const START = 1_699_999_200_000;
/** Runs upkeep until there is nothing more to do. */
export async function allUpkeep(store: Store, now: number): Promise<void> {
  while (await store.upkeep(now));
}

/** Opens a store of an engine that ends with the test. */
export async function opened(engine: Engine, options: Partial<StoreOptions> = {}): Promise<OpenedStore> {
  const one = await engine.make(options);
  onTestFinished(() => one.store.close());
  return one;
}

export async function appendAll(store: Store, records: readonly (readonly ScrapeRecord[])[]): Promise<void> {
  for (const round of records) await store.append(round);
}
