import { MemoryPool } from '../model/memory-pool.ts';

/** Memory for the bodies of answers: those of one moment share no piece, and those of the next get the pieces of the ones before. */
export class BodyPool extends MemoryPool {
  constructor() {
    super({ smallestBytes: 16 * 1024, mostKeptBytes: 8 * 1024 * 1024 });
  }
}

/** For all targets. */
export const BODIES = new BodyPool();
