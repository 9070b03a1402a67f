import { type FSWatcher, watch } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { FileEntry } from '../config/config.ts';
import type { CreateDiscoverer, Discoverer, DiscoverySink, TargetGroup } from './discoverer.ts';
import { readTargetFile } from './target-files.ts';

/** What is known of a file that was read. */
interface KnownFile {
  /** Changes when the file does. */
  readonly version: string;
  /** Groups that it had when it was last good. */
  groups: number;
  error: string;
}

/** A file is often written in several steps. */
const SETTLE_MS = 50;
const MAX_FILES = 10_000;

/** Files of target groups, read when they change; a file that is bad keeps the groups of when it was good. */
export const createFileDiscoverer: CreateDiscoverer<Pick<FileEntry, 'files' | 'refreshMs'>> = (entry) =>
  new FileDiscoverer(entry);

class FileDiscoverer implements Discoverer {
  private readonly entry: Pick<FileEntry, 'files' | 'refreshMs'>;
  private readonly known = new Map<string, KnownFile>();
  private readonly watchers = new Map<string, FSWatcher>();
  private timer: NodeJS.Timeout | undefined;
  private sink: DiscoverySink | undefined;
  private reading: Promise<void> = Promise.resolve();
  private changed = false;

  constructor(entry: Pick<FileEntry, 'files' | 'refreshMs'>) {
    this.entry = entry;
  }

  start(sink: DiscoverySink): void {
    this.sink = sink;
    this.reading = this.round();
  }

  async stop(): Promise<void> {
    this.sink = undefined;
    clearTimeout(this.timer);
    for (const watcher of this.watchers.values()) watcher.close();
    this.watchers.clear();
    await this.reading;
  }

  /** Looks again soon; changes while files are being read make another round. */
  private look(delayMs: number): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      this.reading = this.reading.then(() => this.round());
    }, delayMs);
  }

  private async round(): Promise<void> {
    if (!this.sink) return;
    this.changed = false;
    this.watchFolders();
    const { paths, error } = await this.matchingFiles();
    const groups = (await Promise.all(paths.map((path) => this.readIfChanged(path)))).flat();
    const present = new Set(paths);
    for (const [path, { groups: count }] of this.known) {
      if (present.has(path) || error !== '') continue;
      groups.push(...emptyGroups(path, 0, count));
      this.known.delete(path);
    }
    this.sink?.update(groups);
    const errors = [error, ...[...this.known.values()].map((file) => file.error)].filter((text) => text !== '');
    this.sink?.health(
      errors.length > 3 ? `${errors.slice(0, 3).join('; ')}; and ${errors.length - 3} more` : errors.join('; '),
    );
    if (this.sink) this.look(this.changed ? SETTLE_MS : this.entry.refreshMs);
  }

  /** The whole set of a file, when it is another one than last time. */
  private async readIfChanged(path: string): Promise<TargetGroup[]> {
    const before = this.known.get(path);
    try {
      const version = await versionOf(path);
      if (before?.version === version) return [];
      const known: KnownFile = { version, groups: before?.groups ?? 0, error: '' };
      this.known.set(path, known);
      return await this.groupsOf(path, known);
    } catch {
      return [];
    }
  }

  private async groupsOf(path: string, known: KnownFile): Promise<TargetGroup[]> {
    try {
      const listed = await readTargetFile(path);
      const groups: TargetGroup[] = listed.map(({ targets, labels }, index) => ({
        source: `${path}:${index}`,
        targets: targets.map((address) => ({ address, labels: { ...labels, __meta_filepath: path } })),
      }));
      groups.push(...emptyGroups(path, groups.length, known.groups));
      known.groups = listed.length;
      return groups;
    } catch (error) {
      known.error = `${error instanceof Error ? error.message : String(error)}; its last good groups stay`;
      return [];
    }
  }

  private async matchingFiles(): Promise<{ paths: string[]; error: string }> {
    const found = new Set<string>();
    let error = '';
    for (const pattern of this.entry.files) {
      const { paths, problem } = await filesOf(pattern);
      for (const path of paths) found.add(path);
      if (problem !== '') error = problem;
      else if (paths.length === 0) error = `${pattern}: no such file yet; check the path`;
    }
    const paths = [...found].sort();
    if (paths.length > MAX_FILES) error = `${paths.length} files; only the first ${MAX_FILES} are read`;
    return { paths: paths.slice(0, MAX_FILES), error: paths.length > 0 && error.includes('no such file') ? '' : error };
  }

  /** A folder that can't be watched is still looked at every `refresh`. */
  private watchFolders(): void {
    for (const folder of new Set(this.entry.files.map((pattern) => dirname(pattern)))) {
      if (this.watchers.has(folder)) continue;
      try {
        const watcher = watch(folder, (_, name) => this.noticed(folder, name));
        watcher.on('error', () => this.unwatch(folder));
        this.watchers.set(folder, watcher);
      } catch {}
    }
  }

  /** Others may write to the folder all the time; links to whole folders (`..data`) are how Kubernetes changes files. */
  private noticed(folder: string, name: string | null): void {
    const isOurs = name === null || name.startsWith('..') || this.entry.files.some(concerns(folder, name));
    if (!isOurs) return;
    this.changed = true;
    if (this.sink) this.look(SETTLE_MS);
  }

  private unwatch(folder: string): void {
    this.watchers.get(folder)?.close();
    this.watchers.delete(folder);
  }
}

/** Whether a pattern may mean that file. */
function concerns(folder: string, name: string): (pattern: string) => boolean {
  return (pattern) => dirname(pattern) === folder && isMatch(basename(pattern), name);
}

/** `*` stands for any part of a name, but not for the dot that a hidden file begins with. */
function isMatch(pattern: string, name: string): boolean {
  const [start = '', end] = pattern.split('*');
  if (end === undefined) return name === pattern;
  return name.length >= pattern.length - 1 && name.startsWith(start) && name.endsWith(end) && !name.startsWith('.');
}

async function versionOf(path: string): Promise<string> {
  const { ino, size, mtimeMs, ctimeMs } = await stat(path);
  return `${ino} ${size} ${mtimeMs} ${ctimeMs}`;
}

/** Groups that take away what a longer list had. */
function emptyGroups(path: string, from: number, to: number): TargetGroup[] {
  return Array.from({ length: Math.max(0, to - from) }, (_, index) => ({
    source: `${path}:${from + index}`,
    targets: [],
  }));
}

/** A folder that can't be read now is a problem, and says nothing about its files. */
async function filesOf(pattern: string): Promise<{ paths: string[]; problem: string }> {
  const [folder, name] = [dirname(pattern), basename(pattern)];
  try {
    const names = await readdir(folder);
    return { paths: names.filter((file) => isMatch(name, file)).map((file) => join(folder, file)), problem: '' };
  } catch (error) {
    const { code } = (error ?? {}) as { code?: string };
    if (code === 'ENOENT') return { paths: [], problem: '' };
    return { paths: [], problem: `${folder}: the folder cannot be read (${code ?? String(error)})` };
  }
}
