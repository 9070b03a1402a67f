import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

const PROJECT = join(import.meta.dirname, '../..');
const MAIN = join(PROJECT, 'server/main.ts');
const NODE = join(PROJECT, 'node_modules/.bin/node');

export interface Ended {
  readonly code: number | null;
  readonly out: string[];
  readonly err: string[];
}

/** The real program, or another script, in a process of its own in `folder`. */
export class Sidelight {
  readonly ended: Promise<Ended>;
  /** Standard error until now. */
  err = '';
  private out = '';
  private readonly child: ChildProcess;

  constructor(args: readonly string[], folder: string, script: string = MAIN) {
    this.child = spawn(NODE, [script, ...args], {
      cwd: folder,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.child.stdout?.on('data', (data: Buffer) => {
      this.out += data;
    });
    this.child.stderr?.on('data', (data: Buffer) => {
      this.err += data;
    });
    this.ended = once(this.child, 'close').then(([code]) => ({ code, out: linesOf(this.out), err: linesOf(this.err) }));
  }

  kill(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }
}

export function runSidelight(args: readonly string[], folder: string): Promise<Ended> {
  return new Sidelight(args, folder).ended;
}

export function runScript(script: string, args: readonly string[], folder: string): Promise<Ended> {
  return new Sidelight(args, folder, script).ended;
}

function linesOf(text: string): string[] {
  return text === '' ? [] : text.replace(/\n$/, '').split('\n');
}
