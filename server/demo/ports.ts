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

/** Offsets are whole blocks of ports, and stay below the range that Linux takes outgoing ports from. */
const blockSize = 100;
const firstOffset = 1_000;
const offsetCount = 125;
const firstLockPort = 16_000;

/**
 * An offset at which all given ports (those without offset) are free, for `startMesh`. It is kept for this process as
 * long as it lives, by listening on one more port per block of ports, so two processes that ask at once never get the
 * same ports, whichever meshes they start.
 */
export async function findFreePortOffset(uses: readonly PortUse[]): Promise<number> {
  for (let attempt = 0; attempt < offsetCount; attempt++) {
    const offset = firstOffset + ((process.pid + attempt) % offsetCount) * blockSize;
    const shifted = uses.map((use) => ({ ...use, port: use.port + offset }));
    const locks = await lockBlocks(shifted);
    if (locks !== undefined && (await areFree(shifted))) return offset;
    for (const lock of locks ?? []) lock.close();
  }
  throw new DemoError('found no free range of ports for the mesh between 19000 and 32000');
}

/** Undefined when another process has one of the blocks. */
async function lockBlocks(uses: readonly PortUse[]): Promise<Server[] | undefined> {
  const locks: Server[] = [];
  for (const block of new Set(uses.map(({ port }) => Math.floor(port / blockSize)))) {
    const lock = await tryListen('127.0.0.1', firstLockPort + block);
    if (typeof lock === 'string') {
      for (const taken of locks) taken.close();
      return undefined;
    }
    locks.push(lock.unref());
  }
  return locks;
}

async function areFree(uses: readonly PortUse[]): Promise<boolean> {
  for (const { host, port } of uses) if ((await listenProblem(host, port)) !== undefined) return false;
  return true;
}
