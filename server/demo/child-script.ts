// Calls an exported function of a module and keeps what it starts running until SIGTERM or the parent's end.
import type { ChildMessage } from './child-process.ts';
import { firstLine } from './demo-error.ts';
import type { Running } from './mesh.ts';

const tell = (message: ChildMessage) => process.send?.(message);

async function main(module: string, start: string, options: string): Promise<void> {
  const exports: Record<string, (options: unknown) => Promise<Running>> = await import(module);
  const running = await exports[start]?.(JSON.parse(options));
  if (running === undefined) throw new Error(`${module} exports no function ${start}`);
  process.once('SIGTERM', () => void running.stop().finally(() => process.exit()));
  tell({ state: 'ready' });
}

process.once('disconnect', () => process.exit());
const [module = '', start = '', options = '{}'] = process.argv.slice(2);
main(module, start, options).catch((error: unknown) => {
  console.error(error);
  tell({ state: 'failed', message: firstLine(error) });
  process.exitCode = 1;
  process.disconnect();
});
