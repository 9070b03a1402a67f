/** Which labels belong to whom: those of a unit (a target, a place, a service), and those of its flows. */

import type { FlowKey } from '../model/flow.ts';
import type { SeriesLabel } from './store.ts';

export const UNIT_LABELS = ['service', 'namespace', 'instance', 'region', 'zone'] as const satisfies SeriesLabel[];
export type UnitLabel = (typeof UNIT_LABELS)[number];

export interface FlowLabel {
  readonly label: SeriesLabel;
  of(flow: FlowKey): string;
}

/** A label more of this kind is a line more here. */
export const FLOW_LABELS: readonly FlowLabel[] = [
  { label: 'peer', of: (flow) => flow.peer },
  { label: 'peer_namespace', of: (flow) => flow.peerNamespace },
  { label: 'peer_zone', of: (flow) => flow.peerZone ?? '' },
];

/** Labels that only targets and places tell apart. */
export const PLACE_LABELS: readonly SeriesLabel[] = ['instance', 'region', 'zone'];
