/** Reading of bytes without making strings of them: each function reads at the cursor and moves it behind what it read. */

export const NEWLINE = 10;
export const COMMA = 44;
export const COLON = 58;
const DOT = 46;
const ZERO = 48;

export interface Cursor {
  position: number;
  /** The number read last. */
  value: number;
}

/** Moves behind `text`; false, without a move, when it does not stand at the cursor. */
export function readText(body: Buffer, cursor: Cursor, text: Buffer): boolean {
  let position = cursor.position;
  for (let i = 0; i < text.length; i++) if (body[position++] !== text[i]) return false;
  cursor.position = position;
  return true;
}

/** Moves to the start of the next line. */
export function skipLine(body: Buffer, cursor: Cursor): void {
  const end = body.indexOf(NEWLINE, cursor.position);
  cursor.position = end < 0 ? body.length : end + 1;
}

/** Reads a whole number. Those beyond 2^53 (Envoy's `*.version` gauges) are none of ours and are cut to it. */
export function readDigits(body: Buffer, cursor: Cursor): boolean {
  let position = cursor.position;
  let value = 0;
  for (;;) {
    const digit = (body[position] ?? 0) - ZERO;
    if (digit < 0 || digit > 9) break;
    value = value * 10 + digit;
    position++;
  }
  const any = position > cursor.position;
  cursor.position = position;
  cursor.value = value <= Number.MAX_SAFE_INTEGER ? value : Number.MAX_SAFE_INTEGER;
  return any;
}

/** Reads a decimal number; an exponent (`1e+06`) is read the slow way. */
export function readDecimal(body: Buffer, cursor: Cursor): boolean {
  const start = cursor.position;
  if (!readDigits(body, cursor)) return false;
  const whole = cursor.value;
  const next = body[cursor.position];
  if (next === COMMA || next === COLON) return true;
  if (next === DOT) {
    const fractionStart = ++cursor.position;
    if (!readDigits(body, cursor)) return false;
    const after = body[cursor.position];
    if (after === COMMA || after === COLON) {
      cursor.value = whole + cursor.value / 10 ** (cursor.position - fractionStart);
      return true;
    }
  }
  const rest = /^[\d.]+(?:e[+-]?\d+)?/.exec(body.toString('latin1', start, start + 32))?.[0] ?? '';
  cursor.position = start + rest.length;
  cursor.value = Number(rest);
  return rest !== '' && Number.isFinite(cursor.value);
}
