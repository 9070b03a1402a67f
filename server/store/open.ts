import { MEMORY_PATH, MemoryStore } from './memory-store.ts';
import { SqliteStore } from './sqlite/sqlite-store.ts';
import type { Store, StoreOptions } from './store.ts';

/**
 * The engine that `path` asks for: a file, or memory only. `onThreadLost` is told of threads that ended by themselves.
 * @throws StoreError that says what to do.
 */
export async function openStore(options: StoreOptions, onThreadLost: (message: string) => void): Promise<Store> {
  return options.path === MEMORY_PATH ? new MemoryStore(options) : SqliteStore.open(options, onThreadLost);
}
