import { exitOnCrash } from '../../server/cli/process-events.ts';
import { createLog } from '../../server/telemetry/log.ts';

/** Ends by an error that nobody handles; arguments: the log's level, and `throw` or `reject`. */
const [level, how] = process.argv.slice(2);
exitOnCrash(createLog({ level: level === 'debug' ? 'debug' : 'info', format: 'text' }));
const fault = new Error('a fault\nof the program');
if (how === 'reject') void Promise.reject(fault);
else
  setImmediate(() => {
    throw fault;
  });
