import { runProgram } from './cli/program.ts';
import { screenOf } from './cli/terminal.ts';

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
