import { once } from 'node:events';
import { createServer, type Server } from 'node:net';
import { DemoError } from './demo-error.ts';

/** A port that something of a mesh listens on. */
export interface PortUse {
  host: string;
  port: number;
  /** For messages: `listener ingress of service-a`. */
  user: string;
  /** The file that says so. */
  where: string;
}

/** Throws a DemoError that names the first port that is taken and who needs it. */
export async function checkPortsFree(uses: readonly PortUse[]): Promise<void> {
  for (const { host, port, user, where } of uses) {
    const problem = await listenProblem(host, port);
    if (problem === undefined) continue;
    const reason = problem === 'EADDRINUSE' ? 'is taken' : `can't be listened on (${problem})`;
    throw new DemoError(
      `port ${port} ${reason}, and ${user} needs it (${where}): end the program that has it, perhaps another demo`,
    );
  }
}

/** The error code that listening gives, or undefined when the port is free. */
async function listenProblem(host: string, port: number): Promise<string | undefined> {
  const server = await tryListen(host, port);
  if (typeof server === 'string') return server;
  server.close();
  await once(server, 'close');
  return undefined;
}

async function tryListen(host: string, port: number): Promise<Server | string> {
  const server = createServer();
  try {
    server.listen({ host, port, exclusive: true });
    await once(server, 'listening');
    return server;
  } catch (error) {
    return error instanceof Error && 'code' in error ? String(error.code) : String(error);
  }
}

/** Offsets stay below the range that Linux takes outgoing ports from. */
const offsetStep = 100;
const firstOffset = 1_000;
const offsetCount = 125;
const firstLockPort = 16_000;

/**
 * An offset at which all given ports (those without offset) are free, for `startMesh`. It is kept for this process as
 * long as it lives, by listening on one more port, so two processes that ask at once get different ones.
 */
export async function findFreePortOffset(uses: readonly PortUse[]): Promise<number> {
  for (let attempt = 0; attempt < offsetCount; attempt++) {
    const index = (process.pid + attempt) % offsetCount;
    const lock = await tryListen('127.0.0.1', firstLockPort + index);
    if (typeof lock === 'string') continue;
    lock.unref();
    const offset = firstOffset + index * offsetStep;
    if (await areFree(uses.map((use) => ({ ...use, port: use.port + offset })))) return offset;
    lock.close();
  }
  throw new DemoError('found no free range of ports for the mesh between 19000 and 32000');
}

async function areFree(uses: readonly PortUse[]): Promise<boolean> {
  for (const { host, port } of uses) if ((await listenProblem(host, port)) !== undefined) return false;
  return true;
}
