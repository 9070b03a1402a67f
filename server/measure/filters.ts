/** Which services and instances are meant, by their own labels. */

export const FILTERS = ['service', 'namespace', 'region', 'zone', 'instance'] as const;
export type Filters = Readonly<Partial<Record<(typeof FILTERS)[number], readonly string[]>>>;

/** Whether filters name an instance, a region or a zone: only a service's own Envoys know those. */
export function byPlace({ instance, region, zone }: Filters): boolean {
  return instance !== undefined || region !== undefined || zone !== undefined;
}

type Filtered = Readonly<Partial<Record<keyof Filters, string>>> | Readonly<Record<string, string | undefined>>;

/** Whether labels pass the filters of those names. */
export function passes(filters: Filters, labels: Filtered = {}): boolean {
  for (const name of FILTERS) if (filters[name]?.includes(labels[name] ?? '') === false) return false;
  return true;
}
