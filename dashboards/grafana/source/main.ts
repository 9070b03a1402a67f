/** Writes the boards: `npm run dashboards`. */

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { boardFiles } from './boards.ts';

for (const [name, text] of boardFiles()) writeFileSync(join(import.meta.dirname, '..', name), text);
