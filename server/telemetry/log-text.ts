/** One line of readable text from one line of pino's JSON: `2026-11-21T10:31:02.123Z INFO  message key=value`. */
export function textLine(json: string): string {
  const { time, level, message = '', ...fields }: Record<string, unknown> = JSON.parse(json);
  const pairs = Object.entries(fields).map(([key, value]) => ` ${key}=${valueText(value)}`);
  return `${time} ${String(level).toUpperCase().padEnd(5)} ${escaped(String(message))}${pairs.join('')}\n`;
}

/** Text as it is where that cannot be misread, else as JSON; an error without code and stack as its message. */
function valueText(value: unknown): string {
  if (typeof value === 'string') return /^[^\s"=\p{Cc}]+$/u.test(value) ? value : JSON.stringify(value);
  if (isOnlyMessage(value)) return JSON.stringify(value.message);
  return JSON.stringify(value);
}

function isOnlyMessage(value: unknown): value is { message: unknown } {
  return typeof value === 'object' && value !== null && Object.keys(value).join() === 'message';
}

/** An entry stays on its line, whatever a target answered. */
function escaped(message: string): string {
  return message.replaceAll(/\p{Cc}/gu, (character) => JSON.stringify(character).slice(1, -1));
}
