import { type Filters, passes } from '../measure/filters.ts';
import type { FiringQuery } from '../store/store.ts';
import type {
  AlertCounts,
  AlertEventItem,
  AlertFiringItem,
  AlertHistoryAnswer,
  AlertItem,
  RulesAnswer,
} from './contract.ts';
import type { TimeRange } from './params.ts';
import type { RulesTestView } from './rules-test.ts';
import { rangeOf } from './services.ts';

/** What there is to tell of alerts. */
export interface AlertsView extends RulesTestView {
  /** By `serviceKey`; services without an alert may be absent. */
  counts(): ReadonlyMap<string, AlertCounts>;
  alerts(): AlertItem[];
  rules(): RulesAnswer;
  /** Events of `[from, to)`, newest first. */
  history(query: { readonly from: number; readonly to: number; readonly most: number }): Promise<AlertEventItem[]>;
  /** Times that alerts fired and that reach into `[from, to)`, those that fired last first. */
  firings(query: FiringQuery): Promise<AlertFiringItem[]>;
}

/** Most events that are looked through, and told. */
const MOST_READ = 10_000;
export const MOST_EVENTS = 1000;

export async function alertHistory(view: AlertsView, range: TimeRange, filters: Filters): Promise<AlertHistoryAnswer> {
  const { from, to } = range;
  const { service, namespace } = filters;
  const [read, firings] = await Promise.all([
    view.history({ from, to, most: MOST_READ }),
    view.firings({ from, to, service, namespace, most: MOST_EVENTS + 1 }),
  ]);
  const events = read.filter(({ labels }) => passes(filters, labels));
  return {
    ...rangeOf(range),
    events: events.slice(0, MOST_EVENTS),
    firings: firings.slice(0, MOST_EVENTS),
    truncated: events.length > MOST_EVENTS || read.length === MOST_READ || firings.length > MOST_EVENTS,
  };
}
