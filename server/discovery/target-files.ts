/** Reads one file of target groups. */

import { open } from 'node:fs/promises';
import { LineCounter, parseDocument } from 'yaml';
import { LIST_LIMIT_BYTES, type ListedGroup, readTargetGroups, TargetGroupsError } from './target-groups.ts';

/** @throws Error with a plain message that begins with the file's path. */
export async function readTargetFile(path: string): Promise<ListedGroup[]> {
  try {
    const text = await readText(path);
    const tree = /\.json$/i.test(path) ? JSON.parse(text) : yamlTree(text);
    return readTargetGroups(tree ?? []);
  } catch (error) {
    throw new Error(`${path}: ${reasonOf(error)}`);
  }
}

async function readText(path: string): Promise<string> {
  const file = await open(path, 'r');
  try {
    const { size } = await file.stat();
    if (size > LIST_LIMIT_BYTES) throw new TargetGroupsError(`larger than ${LIST_LIMIT_BYTES} bytes; split it`);
    const { buffer, bytesRead } = await file.read(Buffer.alloc(Math.max(1, size)), 0, Math.max(1, size), 0);
    return new TextDecoder('utf-8', { fatal: true }).decode(buffer.subarray(0, bytesRead));
  } finally {
    await file.close();
  }
}

/** Values stay the text that was written: `1.10` is no number as a label. */
function yamlTree(text: string): unknown {
  const lines = new LineCounter();
  const document = parseDocument(text, { schema: 'failsafe', lineCounter: lines, prettyErrors: false });
  const [error] = document.errors;
  if (error) {
    throw new TargetGroupsError(
      `line ${lines.linePos(error.pos[0]).line} is not valid YAML: ${firstLine(error.message)}`,
    );
  }
  return document.toJS({ maxAliasCount: 100 });
}

function reasonOf(error: unknown): string {
  const { code, message = String(error) } = (error ?? {}) as { code?: string; message?: string };
  if (error instanceof TargetGroupsError) return message;
  if (code === 'EACCES' || code === 'EPERM') return 'permission denied; make the file readable for this user';
  if (code === 'EISDIR') return 'is a folder; give the path of a file';
  if (code === 'ENOENT') return 'no such file';
  if (error instanceof SyntaxError) return `is not valid JSON: ${firstLine(message)}`;
  if (code === 'ERR_ENCODING_INVALID_ENCODED_DATA') return 'is not UTF-8 text; save the file as UTF-8';
  return firstLine(message);
}

function firstLine(text: string): string {
  return text.split('\n')[0] ?? '';
}
