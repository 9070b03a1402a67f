/** Takes a list apart while it arrives, so that no more than one of its items is in memory at a time. */

import { ApiError } from './kubernetes-error.ts';

const [QUOTE, BACKSLASH] = [0x22, 0x5c];
const [OPEN_MAP, CLOSE_MAP, OPEN_LIST, CLOSE_LIST] = [0x7b, 0x7d, 0x5b, 0x5d];
/** Stands for an item in what is left of the list. */
const PLACE = Buffer.from('0');
/** In `{"metadata":{…},"items":[{…},{…}]}` an item is a map two levels down, in a list. */
const ITEM_DEPTH = 3;

/** Finds the ends of items by brackets outside of texts alone; whether an item is JSON is for its reader to tell. */
export class ListSplitter {
  private readonly item: (json: Buffer) => void;
  private readonly maxItemBytes: number;
  private readonly rest: Buffer[] = [];
  /** Parts of the item that is under way, from earlier chunks. */
  private parts: Buffer[] = [];
  private size = 0;
  private depth = 0;
  private inText = false;
  private escaped = false;
  /** Within a list of the outermost map. */
  private inItems = false;
  private inItem = false;

  constructor(item: (json: Buffer) => void, maxItemBytes: number) {
    this.item = item;
    this.maxItemBytes = maxItemBytes;
  }

  /** @throws ApiError when an item, or all that is not in an item, is too large. */
  take(chunk: Buffer): void {
    let from = 0;
    let at = 0;
    while (at < chunk.length) {
      if (this.inText) at = this.textEnd(chunk, at);
      const byte = chunk[at++];
      if (byte === QUOTE) this.inText = true;
      else if (byte === OPEN_MAP || byte === OPEN_LIST) {
        this.depth++;
        if (this.depth === ITEM_DEPTH - 1) this.inItems = byte === OPEN_LIST;
        if (this.depth === ITEM_DEPTH && this.inItems && byte === OPEN_MAP) {
          this.keep(chunk.subarray(from, at - 1));
          this.rest.push(PLACE);
          this.inItem = true;
          from = at - 1;
        }
      } else if (byte === CLOSE_MAP || byte === CLOSE_LIST) {
        this.depth--;
        if (this.inItem && this.depth === ITEM_DEPTH - 1) {
          this.end(chunk.subarray(from, at));
          from = at;
        }
      }
    }
    this.keep(chunk.subarray(from));
  }

  /** Where the text that is under way has ended: after its quote, or at the end of the chunk. */
  private textEnd(chunk: Buffer, begin: number): number {
    let at = this.escaped ? begin + 1 : begin;
    this.escaped = false;
    for (; at < chunk.length; at++) {
      const byte = chunk[at];
      if (byte === QUOTE) {
        this.inText = false;
        return at + 1;
      }
      if (byte === BACKSLASH) at++;
    }
    this.escaped = at > chunk.length;
    return chunk.length;
  }

  /** The list, a number in place of each item. */
  left(): Buffer {
    return Buffer.concat(this.rest);
  }

  private keep(part: Buffer): void {
    if (part.length === 0) return;
    // A part of its own: what is left must not hold on to the chunk.
    if (this.inItem) this.parts.push(part);
    else this.rest.push(Buffer.from(part));
    this.size += part.length;
    if (this.size > this.maxItemBytes)
      throw new ApiError(
        `an item of the API server's list is larger than ${this.maxItemBytes} bytes: it can't be read`,
      );
  }

  private end(part: Buffer): void {
    const json = this.parts.length === 0 ? part : Buffer.concat([...this.parts, part]);
    this.parts = [];
    this.size = 0;
    this.inItem = false;
    this.item(json);
  }
}
