/** Entry: everything is imported only once what was compiled before can be used again. */

import { enableCompileCache, flushCompileCache } from 'node:module';
import { fileURLToPath } from 'node:url';
import { setFlagsFromString } from 'node:v8';

/** Node's option is for this thread; it would win over what each of the others is given, which need far less. */
setFlagsFromString('--max-semi-space-size=0');

/** Of garbage, in per cent of what is in use: V8 would let it grow to two or three times that before it collects it. */
setFlagsFromString('--heap-growing-percent=40');

/**
 * Without it every thread loads a compiler of TypeScript, which takes some 17 MiB for good. For the threads, too; `npm
 * start` and the image name the folder before Node reads this file.
 */
process.env.NODE_COMPILE_CACHE ??= fileURLToPath(new URL('../node_modules/.cache/sidelight', import.meta.url));
enableCompileCache(process.env.NODE_COMPILE_CACHE);

const { runProgram } = await import('./cli/program.ts');
const { screenOf } = await import('./cli/terminal.ts');
flushCompileCache();

/** A reader that has gone, such as `head`, is no error. */
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
  });
}

process.exitCode = await runProgram(process.argv.slice(2), {
  out: (line) => process.stdout.write(`${line}\n`),
  err: (line) => process.stderr.write(`${line}\n`),
  screen: screenOf(process.stdout, process.env),
});

/** Idle connections of a client or a server that is still closing must not keep the process. */
setTimeout(() => process.exit(), 100).unref();
