import type { BadFile } from '../bad-files.ts';

export const UNAVAILABLE: readonly BadFile[] = [
  {
    name: 'sections of a later version',
    yaml: 'remote_write: [{ url: a }]\n',
    errors: ['1: remote_write is not available in this version (0.1.0); remove it'],
  },
];
