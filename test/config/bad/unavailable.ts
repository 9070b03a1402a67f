import type { BadFile } from '../bad-files.ts';

export const UNAVAILABLE: readonly BadFile[] = [
  {
    name: 'sections of a later version',
    yaml: 'otlp: { endpoint: a }\n',
    errors: ['1: otlp is not available in this version (0.1.0); remove it'],
  },
];
