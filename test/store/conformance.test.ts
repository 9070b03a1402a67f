import { join } from 'node:path';
import { MEMORY_PATH, MemoryStore } from '../../server/store/memory-store.ts';
import { SqliteStore } from '../../server/store/sqlite/sqlite-store.ts';
import { describeEngine } from './conformance.ts';
import { describeAlerts } from './conformance-alerts.ts';
import type { Engine } from './conformance-engine.ts';
import { storeOptions } from './options.ts';
import { temporaryFolder } from './temporary-folder.ts';

const engines: Engine[] = [
  {
    name: 'in memory',
    async make(options) {
      const store = new MemoryStore(storeOptions(MEMORY_PATH, options));
      return { store, again: async () => store };
    },
  },

  {
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
  },
];

for (const engine of engines) {
  describeEngine(engine);
  describeAlerts(engine);
}
