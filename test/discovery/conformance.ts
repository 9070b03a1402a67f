/** What every discovery mechanism does, whatever its source is. */

import { describe, expect, onTestFinished, test } from 'vitest';
import type { Discoverer } from '../../server/discovery/discoverer.ts';
import { eventually } from '../scrape/eventually.ts';
import { recordingSink } from './recording-sink.ts';

/** A source that a test tells what to list. */
export interface ConformanceSource {
  /** Makes a mechanism on this source that asks it often; every call makes another one. */
  create(): Discoverer;
  /** Lists these addresses from now on, `127.0.0.x:port`. Undefined where a source can't change. */
  list?(addresses: readonly string[]): Promise<void> | void;
  /** Fails from now on, until it lists something. Undefined where a source can't fail. */
  fail?(): Promise<void> | void;
  stop?(): Promise<void> | void;
}

/** `setUp` gives a source that lists `first`. All addresses have the same port. */
export function describeConformance(
  name: string,
  setUp: (first: readonly string[]) => Promise<ConformanceSource> | ConformanceSource,
): void {
  const FIRST = ['127.0.0.1:9901', '127.0.0.2:9901'];
  const SECOND = ['127.0.0.2:9901', '127.0.0.3:9901'];

  describe(`${name} as every mechanism`, () => {
    async function running() {
      const source = await setUp(FIRST);
      const sink = recordingSink();
      const discoverer = source.create();
      discoverer.start(sink);
      onTestFinished(async () => {
        await discoverer.stop();
        await source.stop?.();
      });
      await eventually(() => sink.addresses()).toEqual(FIRST);
      return { source, sink, discoverer };
    }

    test('tells what its source lists, and that all is well', async () => {
      const { sink } = await running();
      expect(sink.error()).toBe('');
      for (const { labels } of sink.endpoints())
        for (const label of Object.keys(labels)) expect(label).toMatch(/^[a-zA-Z_][a-zA-Z0-9_]*$/);
    });

    test('tells nothing after it was stopped, and can be stopped twice', async () => {
      const { source, sink, discoverer } = await running();
      await discoverer.stop();
      const updates = sink.updates();
      await source.list?.(SECOND);
      await discoverer.stop();
      const other = recordingSink();
      const second = source.create();
      second.start(other);
      await eventually(() => other.addresses()).toEqual(source.list ? SECOND : FIRST);
      await second.stop();
      expect(sink.updates()).toBe(updates);
    });

    test('follows its source, and takes back what is gone', async () => {
      const { source, sink } = await running();
      if (!source.list) return expect(sink.updates()).toBe(1);
      await source.list(SECOND);
      await eventually(() => sink.addresses()).toEqual(SECOND);
      await source.list(FIRST);
      await eventually(() => sink.addresses()).toEqual(FIRST);
      return expect(sink.error()).toBe('');
    });

    test('keeps what it found while its source fails, says so, and goes on once it works', async () => {
      const { source, sink } = await running();
      if (!source.fail) return expect(sink.error()).toBe('');
      await source.fail();
      await eventually(() => sink.error()).not.toBe('');
      expect(sink.error()).not.toContain('\n');
      expect(sink.addresses()).toEqual(FIRST);
      await source.list?.(SECOND);
      await eventually(() => sink.addresses()).toEqual(SECOND);
      await eventually(() => sink.error()).toBe('');
    });

    test('does not throw and finds nothing where its source fails from the start', async () => {
      const source = await setUp(FIRST);
      if (!source.fail) return;
      await source.fail();
      const sink = recordingSink();
      const discoverer = source.create();
      discoverer.start(sink);
      await eventually(() => sink.error()).not.toBe('');
      expect(sink.addresses()).toEqual([]);
      await discoverer.stop();
      await source.stop?.();
    });
  });
}
