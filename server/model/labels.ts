/** Label names to values, as discovery gives them. */
export type Labels = Readonly<Record<string, string>>;

/**
 * One text for a list of values, the same for equal lists and different for all others,
 * whatever characters the values hold.
 */
export function keyOf(values: readonly string[]): string {
  return JSON.stringify(values);
}

/** One text for a set of labels, in whatever order they are. */
export function labelsKey(labels: Labels): string {
  return JSON.stringify(Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1)));
}
