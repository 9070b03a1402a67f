import { MEMORY_PATH, MemoryStore } from './memory-store.ts';
import { SqliteStore } from './sqlite/sqlite-store.ts';
import type { Store, StoreOptions } from './store.ts';

/** The engine that `path` asks for: a file, or memory only. @throws StoreError that says what to do. */
export async function openStore(options: StoreOptions): Promise<Store> {
  return options.path === MEMORY_PATH ? new MemoryStore(options) : SqliteStore.open(options);
}
