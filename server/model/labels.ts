/** Label names to values, as discovery gives them. */
export type Labels = Readonly<Record<string, string>>;

/**
 * One text for a list of values, the same for equal lists and different for all others,
 * whatever characters the values hold.
 */
export function keyOf(values: readonly string[]): string {
  return JSON.stringify(values);
}
