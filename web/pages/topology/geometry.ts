/** Sizes and places of what is drawn, in pixels of the graph. */

export const NODE_WIDTH = 168;
export const NODE_HEIGHT = 40;
/** Room for the figures of a call, as long as they get less the gap beside it, above its line or below. */
export const LABEL_WIDTH = 224;
export const LABEL_HEIGHT = 52;

export type Spot = readonly [x: number, y: number];

export interface Placement {
  readonly width: number;
  readonly height: number;
  /** Centres by node. */
  readonly nodes: ReadonlyMap<string, Spot>;
  /** Bends by edge, from one end to the other. */
  readonly edges: ReadonlyMap<string, readonly Spot[]>;
  /** Where labels of edges have room. */
  readonly labels: ReadonlyMap<string, Spot>;
}

export interface Structure {
  readonly nodes: readonly string[];
  readonly edges: readonly { readonly id: string; readonly source: string; readonly target: string }[];
}
