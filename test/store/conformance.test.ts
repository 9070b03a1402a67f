import { join } from 'node:path';
import { MEMORY_PATH, MemoryStore } from '../../server/store/memory-store.ts';
import { SqliteStore } from '../../server/store/sqlite/sqlite-store.ts';
import { describeEngine } from './conformance.ts';
import { storeOptions } from './options.ts';
import { temporaryFolder } from './temporary-folder.ts';

describeEngine({
  name: 'in memory',
  async make(options) {
    const store = new MemoryStore(storeOptions(MEMORY_PATH, options));
    return { store, again: async () => store };
  },
});

describeEngine({
  name: 'SQLite',
  async make(options) {
    const all = storeOptions(join(temporaryFolder(), 'sidelight.db'), options);
    const opened = {
      store: await SqliteStore.open(all),
      async again() {
        await opened.store.close();
        opened.store = await SqliteStore.open(all);
        return opened.store;
      },
    };
    return opened;
  },
});
