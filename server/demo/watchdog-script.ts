// Ends the watched processes when the process that started this one is gone: the IPC channel closes with it.
import { setTimeout as delay } from 'node:timers/promises';
import type { WatchdogMessage } from './watchdog.ts';

const watched = new Set<number>();

process.on('message', (message: WatchdogMessage) => {
  if ('watch' in message) watched.add(message.watch);
  else watched.delete(message.forget);
});

process.once('disconnect', async () => {
  signalAll('SIGTERM');
  for (let waitedMs = 0; watched.size > 0 && waitedMs < 3_000; waitedMs += 50) {
    await delay(50);
    signalAll(0);
  }
  signalAll('SIGKILL');
  process.exit();
});

/** Signal 0 only looks; processes that are gone are forgotten. */
function signalAll(signal: NodeJS.Signals | 0): void {
  for (const pid of watched) {
    try {
      process.kill(pid, signal);
    } catch {
      watched.delete(pid);
    }
  }
}
