import { closeSync, openSync, readSync } from 'node:fs';
import { formatSize } from '../model/size.ts';

const MAX_BYTES = 4 * 1024 * 1024;

/** The text of a configuration file, or one line that says why it cannot be read. */
export function readConfigFile(file: string): { readonly text: string } | { readonly error: string } {
  if (file === '') return { error: 'the path of the configuration file is empty; write --config.file=sidelight.yaml' };
  let bytes: Buffer;
  try {
    bytes = readUpTo(file, MAX_BYTES + 1);
  } catch (error) {
    return { error: `${file}: ${reasonOf(error)}` };
  }
  if (bytes.length > MAX_BYTES)
    return { error: `${file}: larger than ${formatSize(MAX_BYTES)}; a configuration is at most that` };
  const text = decodeUtf8(bytes);
  if (text !== undefined) return { text };
  return { error: `${file}:${lineOfBadText(bytes)}: not UTF-8 text; save the file as UTF-8` };
}

/** Reads by pieces, so that pipes work and endless devices end. */
export function readUpTo(file: string, limit: number): Buffer {
  const descriptor = openSync(file, 'r');
  try {
    const buffer = Buffer.alloc(limit);
    let length = 0;
    for (let read = -1; read !== 0 && length < limit; length += read) {
      read = readSync(descriptor, buffer, length, limit - length, null);
    }
    return buffer.subarray(0, length);
  } finally {
    closeSync(descriptor);
  }
}

function reasonOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  switch (code) {
    case 'ENOENT':
    case 'ENOTDIR':
      return 'no such file; check the path';
    case 'EISDIR':
      return 'is a folder; give the path of a YAML file';
    case 'EACCES':
    case 'EPERM':
      return 'permission denied; make the file readable for this user';
    default:
      return `cannot be read: ${error instanceof Error ? error.message : String(error)}`;
  }
}

function decodeUtf8(bytes: Buffer): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

function lineOfBadText(bytes: Buffer): number {
  let start = 0;
  for (let line = 1; ; line++) {
    const end = bytes.indexOf(0x0a, start);
    if (end === -1 || decodeUtf8(bytes.subarray(start, end)) === undefined) return line;
    start = end + 1;
  }
}
