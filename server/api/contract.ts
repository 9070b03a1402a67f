/**
 * The HTTP API's answers. Durations in `…Ms` are milliseconds, times are Unix milliseconds,
 * rates are per second, success and error rates are shares from 0 to 1.
 * A figure that cannot be known is `null`; `state` beside it says why.
 */

export type * from './contract/alerts.ts';
export type * from './contract/figures.ts';
export type * from './contract/places.ts';
export type * from './contract/rules-test.ts';
export type * from './contract/series.ts';
export type * from './contract/services.ts';
export type * from './contract/status.ts';
export type * from './contract/targets.ts';
