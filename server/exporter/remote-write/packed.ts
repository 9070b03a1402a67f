import { compressSync } from 'snappy';

/**
 * A message in snappy's block form, as receivers of remote write want it. It is a copy: snappy's own buffer has room for
 * the longest that it could become, thirty times as much, and is given back only when V8, which does not see it, collects.
 */
export function packed(body: Uint8Array): Buffer {
  return compressSync(body, { copyOutputData: true });
}
