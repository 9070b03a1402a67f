import { GrowthSum } from '../../server/model/growth.ts';

/** Growth of totals: of a counter, of a histogram, and of a flow's counter and bins. */
export function grownBy(requests: number): Uint8Array {
  const growth = new GrowthSum();
  const bins = { keys: [7], counts: [requests] };
  growth.value(0, requests);
  growth.histogram(0, bins);
  growth.counter(0, 0, requests);
  growth.bins(0, bins);
  return growth.finish();
}
