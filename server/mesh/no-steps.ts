import type { Plan } from './plan.ts';

/** A plan that reads nothing. */
export const NO_STEPS: Omit<Plan, 'role'> = {
  flows: [],
  owners: [],
  counters: [],
  resetMarks: [],
  sameEvents: [],
  gauges: [],
  histograms: [],
  apart: new Map(),
  uncountedErrors: [],
  ungraded: [],
  failureSource: undefined,
  certificateExpiry: [],
  inbound: false,
};
