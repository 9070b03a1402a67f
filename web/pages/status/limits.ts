/** Limits by what their names say of their unit. Pure. */

import { configuredSize, count } from '../../format/number.ts';
import { spanInWords } from '../../format/time.ts';

/** `bodyBytes` as `body bytes`, without a unit that the value says. */
export function limitName(name: string): string {
  const words = name
    .replace(/(Ms|Bytes)$/, '')
    .replace(/_/g, ' ')
    .replace(/([a-z0-9])([A-Z])/g, '$1 $2')
    .toLowerCase();
  return `${words.charAt(0).toUpperCase()}${words.slice(1)}`;
}

/** The value in its unit. */
export function limitInWords(name: string, value: number): string {
  if (/Ms$/.test(name)) return spanInWords(value);
  if (/(Bytes|[bB]ody_?[lL]imit)$/.test(name)) return configuredSize(value);
  return count(value);
}
