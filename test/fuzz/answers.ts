/** Reads the answers of pipelined requests off one connection. */

export interface Answer {
  readonly status: number;
  readonly headers: ReadonlyMap<string, string>;
  readonly body: Buffer;
}

/** Takes bytes as they come; gives the answers that are whole. @throws Error when they are no HTTP. */
export class AnswerReader {
  private held: Buffer = Buffer.alloc(0);
  /** Methods that were asked by, in order. */
  private readonly methods: string[] = [];

  expect(method: string): void {
    this.methods.push(method);
  }

  take(bytes: Buffer): Answer[] {
    this.held = this.held.length === 0 ? bytes : Buffer.concat([this.held, bytes]);
    const answers: Answer[] = [];
    for (let next = this.next(); next !== undefined; next = this.next()) answers.push(next);
    return answers;
  }

  private next(): Answer | undefined {
    const end = this.held.indexOf('\r\n\r\n');
    if (end < 0) return undefined;
    const [line = '', ...lines] = this.held.subarray(0, end).toString('latin1').split('\r\n');
    const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(line)?.[1]);
    if (Number.isNaN(status)) throw new Error(`no answer of HTTP: ${JSON.stringify(line.slice(0, 100))}`);
    const headers = new Map(
      lines.map((text) => [text.slice(0, text.indexOf(':')).toLowerCase(), text.slice(text.indexOf(':') + 1).trim()]),
    );
    if (status === 100) {
      this.held = this.held.subarray(end + 4);
      return this.next();
    }
    const found = this.bodyAt(end + 4, status, headers);
    if (found === undefined) return undefined;
    this.methods.shift();
    this.held = this.held.subarray(found.end);
    return { status, headers, body: found.body };
  }

  private bodyAt(start: number, status: number, headers: ReadonlyMap<string, string>) {
    if (this.methods[0] === 'HEAD' || status === 204 || status === 304) return { body: Buffer.alloc(0), end: start };
    if (headers.get('transfer-encoding') === 'chunked') return this.chunksAt(start);
    const end = start + Number(headers.get('content-length') ?? 0);
    return end > this.held.length ? undefined : { body: this.held.subarray(start, end), end };
  }

  private chunksAt(start: number): { body: Buffer; end: number } | undefined {
    const pieces: Buffer[] = [];
    for (let at = start; ; ) {
      const lineEnd = this.held.indexOf('\r\n', at);
      if (lineEnd < 0) return undefined;
      const size = Number.parseInt(this.held.subarray(at, lineEnd).toString('latin1'), 16);
      if (Number.isNaN(size)) throw new Error('a chunk without a size');
      const end = lineEnd + 2 + size;
      if (end + 2 > this.held.length) return undefined;
      if (size === 0) return { body: Buffer.concat(pieces), end: end + 2 };
      pieces.push(this.held.subarray(lineEnd + 2, end));
      at = end + 2;
    }
  }
}
