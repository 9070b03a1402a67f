/** What the charts of a service or of one of its instances are drawn from. */

import type { TargetStatus } from '../../../server/api/contract.ts';
import { api, type SeriesWish, type Subject } from '../../api.ts';
import { alertEvents, type ChartEvent, startEvents } from '../../charts/chart-events.ts';
import { type Ghost, ghostOf } from '../../charts/ghost.ts';
import { AGO } from '../../figures/tiers.ts';
import { useAnswer } from '../../state/answer.ts';
import { comparison, stepFor, timeSpan } from '../../state/collector.ts';
import { CHART_POINTS } from '../../state/window.ts';

const SIGNALS = ['latency_p50', 'latency_p95', 'latency_p99', 'success_rate', 'active_requests', 'active_connections'];

/** Every answer, as far as it has come; each is asked for as often as it has a new step. */
export function useSubjectAnswers(subject: Subject) {
  const step = stepFor(CHART_POINTS);
  const wish: SeriesWish = { subject, span: timeSpan.value, step: step.step };
  const classes = useAnswer(api.codeClasses(wish), step.ms).value;
  const [p50, p95, p99, success, requests, connections] = SIGNALS.map(
    (signal) => useAnswer(api.series(signal, wish), step.ms).value,
  );
  const heatmap = useAnswer(api.heatmap(wish), step.ms).value;
  if (!p50 || !p95 || !p99 || !success || !requests || !connections) throw new Error('a signal has no answer');
  return { step, classes, p50, p95, p99, success, requests, connections, heatmap };
}

export type SubjectAnswers = ReturnType<typeof useSubjectAnswers>;

const COMPARED = ['request_rate', 'latency_p99', 'success_rate', 'active_requests'] as const;

/** The same signals as they were before; all null where nothing is compared. */
export function useGhosts(subject: Subject): Readonly<Record<(typeof COMPARED)[number], Ghost | null>> {
  const compared = comparison.value;
  const step = stepFor(CHART_POINTS, compared?.offsetMs ?? 0);
  const ghosts = COMPARED.map((signal) => {
    const wish = compared && { subject, span: timeSpan.value, step: step.step, offset: compared.offset };
    const answer = useAnswer(wish && api.series(signal, wish), step.ms).value.data;
    const name = signal === 'latency_p99' ? 'p99 ' : signal === 'active_requests' ? 'requests ' : '';
    return [signal, compared && ghostOf(answer, `${name}${AGO[compared.offset]}`, compared.offsetMs)] as const;
  });
  return Object.fromEntries(ghosts) as Record<(typeof COMPARED)[number], Ghost | null>;
}

/** Alerts of the subject that fired, and starts of its sidecars. */
export function useEvents(subject: Subject, targets: readonly TargetStatus[]): ChartEvent[] {
  const { data } = useAnswer(api.alertHistory(subject.service, timeSpan.value)).value;
  return [...alertEvents(data?.firings ?? [], subject), ...startEvents(targets, subject)];
}
