/** Program of its own: opens the store that it is given, stores nothing, and prints how that went. */

import { SqliteStore } from '../../server/store/sqlite/sqlite-store.ts';
import { storeOptions } from './options.ts';

try {
  const store = await SqliteStore.open(storeOptions(process.argv[2] ?? ''));
  await store.close();
  console.log('opened');
} catch (error) {
  console.log(error instanceof Error ? `${error.name}: ${error.message}` : String(error));
}
