/** What an Envoy says of itself, read as plainly as possible: the other side of comparisons, not the product's own reader. */
export interface EnvoyStats {
  /** A counter or gauge; 0 when Envoy does not list it. */
  value(name: string): number;
  /** A histogram's bins in ascending order; none when it has no sample. */
  bins(name: string): Bin[];
}

export interface Bin {
  lower: number;
  width: number;
  count: number;
}

/** Reads /stats of an admin address, `host:port`. */
export async function readEnvoyStats(address: string): Promise<EnvoyStats> {
  const response = await fetch(`http://${address}/stats?usedonly&histogram_buckets=detailed`);
  const lines = (await response.text()).split('\n');
  const values = new Map<string, string>();
  lines.forEach((line, index) => {
    const end = line.indexOf(':');
    const totals = lines[index + 1]?.match(/^ {2}totals=(.*)$/)?.[1];
    if (!line.startsWith(' ')) values.set(line.slice(0, end), totals ?? line.slice(end + 1).trim());
  });
  return { value: (name) => Number(values.get(name) ?? 0), bins: (name) => parseBins(values.get(name) ?? '') };
}

function parseBins(totals: string): Bin[] {
  const bins = totals.matchAll(/([\d.e+]+),([\d.e+]+):(\d+)/g);
  return [...bins].map(([, lower, width, count]) => ({
    lower: Number(lower),
    width: Number(width),
    count: Number(count),
  }));
}
