import { useEffect, useRef } from 'preact/hooks';
import type { QueryAnswer, RuleItem } from '../../../server/api/contract.ts';
import { api } from '../../api.ts';
import { lineData } from '../../charts/chart-data.ts';
import { alertEvents, eventsWithin } from '../../charts/chart-events.ts';
import { LazyChart } from '../../charts/lazy-chart.tsx';
import { spanInWords } from '../../format/time.ts';
import { useAnswer } from '../../state/answer.ts';
import { graceMs, live, scrapeIntervalMs, status } from '../../state/collector.ts';
import { CHART_POINTS, chooseStep, keptStepMs } from '../../state/window.ts';
import { AlertLabels } from './alert-labels.tsx';
import { type Alarm, limitOf, momentOf, queryOf, signalOf, unitOf } from './alert-moment.ts';

interface AlertChartProps {
  readonly alarm: Alarm;
  readonly rule: RuleItem | null;
  /** Whether the reader asked for it, rather than being shown it. */
  readonly chosen: boolean;
}

/** What an alert watches, at the moment it fired. */
export function AlertChart({ alarm, rule, chosen }: AlertChartProps) {
  const box = useRef<HTMLElement>(null);
  useEffect(() => {
    if (chosen) box.current?.scrollIntoView({ block: 'nearest' });
  }, [alarm.name, alarm.firedAt, chosen]);
  const signal = rule && signalOf(rule);
  return (
    <section class="alert-moment" ref={box} aria-label={`${alarm.name} at the moment`}>
      <div class="alert-moment-head">
        <b>{alarm.name}</b> <AlertLabels labels={alarm.labels} />
      </div>
      {rule && signal !== null ? (
        <SignalChart alarm={alarm} rule={rule} signal={signal ?? ''} />
      ) : (
        <p class="nothing">
          {rule ? 'It watches no signal that could be drawn.' : 'Its rule is no longer configured.'}
        </p>
      )}
    </section>
  );
}

interface SignalChartProps {
  readonly alarm: Alarm;
  readonly rule: RuleItem;
  readonly signal: string;
}

function SignalChart({ alarm, rule, signal }: SignalChartProps) {
  const now = live.latestTick.value?.at ?? status.value?.now ?? Date.now();
  const span = momentOf(alarm, rule.windowMs, now);
  const { until, windowMs } = span;
  const ageMs = now - (until ?? now) + windowMs;
  const finest = Math.max(scrapeIntervalMs.value, keptStepMs(status.value?.storage.tiers ?? [], ageMs));
  const step = chooseStep({ windowMs, scrapeIntervalMs: finest, mostPoints: CHART_POINTS });
  const wish = { ...queryOf(alarm, rule), direction: rule.direction, span, step: step.step };
  const values = useAnswer(api.alarmSeries(signal, wish), step.ms).value;
  const rates = useAnswer(api.alarmSeries('request_rate', wish), step.ms).value;
  const [own, requests] = [pick(values.data, alarm), pick(rates.data, alarm)];
  const data = own && requests && lineData([{ key: 'value', label: 'value', answer: own }], requests, graceMs.value);
  return (
    <LazyChart
      name="moment"
      title={signal.replaceAll('_', ' ')}
      subject={alarm.name}
      basis={`Steps of ${spanInWords(step.ms)}; the rule looks at ${spanInWords(rule.windowMs)} at a time: ${rule.condition}.`}
      kind="lines"
      unit={unitOf(signal)}
      error={values.error}
      data={data && { ...data, limit: limitOf(alarm, rule.objective), events: eventsWithin(firedEvents(alarm), data) }}
    />
  );
}

function firedEvents({ firedAt, endedAt, ...alarm }: Alarm) {
  if (firedAt === null) return [];
  const { service = '', namespace = '' } = alarm.labels;
  const firing = { ...alarm, labels: { ...alarm.labels, service }, severity: '', annotations: {}, requests: null };
  return alertEvents([{ ...firing, firedAt, resolvedAt: endedAt }], { service, namespace });
}

/** Of an answer with several series, the one with the alarm's labels. */
function pick(answer: QueryAnswer | null, { labels }: Alarm): QueryAnswer | null {
  if (!answer) return null;
  const series = answer.series.filter((each) =>
    Object.entries(each.labels).every(([name, value]) => (labels[name] ?? '') === value),
  );
  return { ...answer, series };
}
