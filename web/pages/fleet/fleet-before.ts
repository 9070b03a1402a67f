/** The fleet as it was some time before, to compare with. */

import { useMemo } from 'preact/hooks';
import { api } from '../../api.ts';
import { changesOf } from '../../figures/change.ts';
import { AGO, tiersInWords } from '../../figures/tiers.ts';
import type { ListedService, ListedServices } from '../../listed-service.ts';
import { useAnswer } from '../../state/answer.ts';
import { comparison, timeSpan } from '../../state/collector.ts';
import type { Before } from './fleet-columns.tsx';
import { serviceKey, type Value } from './order.ts';

/** Null where nothing is compared. What is not asked for, such as an answer from another time, tells nothing. */
export function useBefore(now: ListedServices | null): Before | null {
  const compared = comparison.value;
  const { data } = useAnswer(compared && api.services(timeSpan.value, compared.offset)).value;
  const offsetMs = compared?.offsetMs;
  const fitting = data && data.offsetMs === offsetMs && data.windowMs === now?.windowMs ? data : null;
  const known = useMemo(
    () => new Map(fitting?.services.map((service) => [serviceKey(service), service] as const)),
    [fitting],
  );
  if (!compared) return null;
  return {
    ago: AGO[compared.offset] ?? '',
    kept: tiersInWords(fitting?.tiers ?? []),
    of: (service) => known.get(serviceKey(service)) ?? null,
  };
}

/** What the columns of changes are sorted by. */
export function changeValues(before: Before | null): Readonly<Record<string, Value>> {
  if (!before) return {};
  const ratio = (kind: 'rate' | 'p99') => (service: ListedService) =>
    changesOf(service, before.of(service))[kind]?.ratio ?? null;
  return { changerate: ratio('rate'), changep99: ratio('p99') };
}
