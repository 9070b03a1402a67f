/** Who calls whom, and from where to where: /api/v1/topology and /api/v1/regions. */

import type { AnswerRange, FigureField, FigureParts, Figures, PlaceFigures, Role, TierName } from './figures.ts';

export interface TopologyNode {
  id: string;
  service: string;
  namespace: string;
  role: Role;
  regions: string[];
}

export interface TopologyEdge extends Figures {
  /** Ids of nodes. */
  source: string;
  target: string;
}

export interface TopologyAnswer extends AnswerRange {
  tiers: TierName[];
  nodes: TopologyNode[];
  edges: TopologyEdge[];
}

/** What `fields` of /api/v1/topology takes. */
export type TopologyEdgeField = keyof TopologyEdge | FigureField;

/** A call with the fields that were asked for. */
export type TopologyEdgePart = Pick<TopologyEdge, 'source' | 'target'> & FigureParts;

/** The answer where `fields` is given. */
export interface TopologyPartsAnswer extends AnswerRange {
  tiers: TierName[];
  nodes: TopologyNode[];
  edges: TopologyEdgePart[];
}

export interface RegionRoute extends PlaceFigures {
  /** Region of the caller; null where it is not known. */
  from: string | null;
  /** Region of the hosts that answered; null where it is not known. */
  to: string | null;
  /** Share of all requests in the answer. */
  share: number | null;
}

export interface ZoneRoute extends PlaceFigures {
  fromRegion: string | null;
  fromZone: string | null;
  toRegion: string | null;
  toZone: string | null;
  share: number | null;
}

export interface RegionsAnswer extends AnswerRange {
  tiers: TierName[];
  /** From region to region, those with the most requests first; every request is in one of them. */
  regions: RegionRoute[];
  /** The same requests from zone to zone. */
  zones: ZoneRoute[];
}
