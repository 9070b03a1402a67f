/** Answers about services: /api/v1/services. */

import type {
  AnswerRange,
  FailureSource,
  Failures,
  FigureField,
  FigureParts,
  Figures,
  Role,
  TierName,
  Vantage,
} from './figures.ts';

export interface ServiceSummary extends Figures {
  service: string;
  namespace: string;
  vantage: Vantage;
  role: Role;
  regions: string[];
  instances: { up: number; total: number };
  failureSource: FailureSource;
  alerts: AlertCounts;
}

export interface ServicesAnswer extends AnswerRange {
  /** Where the figures are from, finest first. */
  tiers: TierName[];
  services: ServiceSummary[];
}

/** What `fields` of /api/v1/services takes. */
export type ServiceField = keyof ServiceSummary | FigureField;

/** A service with the fields that were asked for. */
export type ServicePart = Pick<ServiceSummary, 'service' | 'namespace'> &
  Partial<Omit<ServiceSummary, keyof Figures>> &
  FigureParts;

/** The answer where `fields` is given. */
export interface ServicePartsAnswer extends AnswerRange {
  tiers: TierName[];
  services: ServicePart[];
}

export interface InstanceFigures extends Figures {
  instance: string;
  region: string;
  zone: string;
  health: 'up' | 'down' | 'unknown';
}

export interface RegionFigures extends Figures {
  region: string;
}

export interface PeerFigures extends Figures {
  service: string;
  namespace: string;
  /** What went wrong with these calls, as the callers' sidecars saw it. */
  failures: Failures;
}

export interface ServiceAnswer extends ServiceSummary {
  at: number;
  windowMs: number;
  window: string;
  offsetMs: number;
  tiers: TierName[];
  byInstance: InstanceFigures[];
  byRegion: RegionFigures[];
  /** Services that this one calls, as its own sidecars measured it. */
  upstreams: PeerFigures[];
  /** Services that call this one, as their sidecars measured it. */
  downstreams: PeerFigures[];
  failures: Failures;
}

export interface AlertCounts {
  firing: number;
  pending: number;
}
