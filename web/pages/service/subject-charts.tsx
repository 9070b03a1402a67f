import { useRef } from 'preact/hooks';
import type { TargetStatus, Vantage } from '../../../server/api/contract.ts';
import type { Subject } from '../../api.ts';
import { type ChartData, codeClassData, lineData } from '../../charts/chart-data.ts';
import { eventsWithin } from '../../charts/chart-events.ts';
import { heatOf } from '../../charts/heat.ts';
import { LazyChart } from '../../charts/lazy-chart.tsx';
import { vantageInWords } from '../../figures/explain.ts';
import { tiersInWords } from '../../figures/tiers.ts';
import { spanInWords, windowInWords } from '../../format/time.ts';
import type { Answer } from '../../state/answer.ts';
import { endsAt, graceMs, timeSpan } from '../../state/collector.ts';
import { changeView, location } from '../../state/router.ts';
import { type SubjectAnswers, useEvents, useGhosts, useSubjectAnswers } from './subject-answers.ts';

interface SubjectChartsProps {
  readonly subject: Subject;
  readonly vantage: Vantage;
  /** Whether a percentile falls among timed-out requests. */
  readonly capped: boolean;
  /** What there is to say of how full it is, beside what is under way. */
  readonly saturation?: string;
  /** Its sidecars, whose starts are marked. */
  readonly targets: readonly TargetStatus[];
}

/** How a service, or one of its instances, did over the time looked at, step by step. */
export function SubjectCharts({ subject, vantage, capped, saturation = '', targets }: SubjectChartsProps) {
  const answers = useSubjectAnswers(subject);
  const ghosts = useGhosts(subject);
  const happened = useEvents(subject, targets);
  const marked = (data: ChartData) => ({ ...data, events: eventsWithin(happened, data) });
  const { classes, step } = answers;
  const name = subject.instance ?? subject.service;
  const steps = `steps of ${spanInWords(step.ms)}`;
  const kept = tiersInWords(classes.data?.tiers ?? []);
  const time = `Last ${windowInWords(timeSpan.value.windowMs, endsAt.value)}, ${steps}${kept && `, ${kept}`}`;
  const seen = `Steps of ${spanInWords(step.ms)}, ${vantageInWords(vantage)}.`;
  const latency = useLines(latencyLines(answers), answers);
  const success = useLines([['success', 'success', answers.success]], answers);
  const load = useLines(
    [
      ['requests', 'requests', answers.requests],
      ['connections', 'connections', answers.connections],
    ],
    answers,
  );
  const rates = classes.data && codeClassData(classes.data, graceMs.value);
  const heat = answers.heatmap.data && heatOf(answers.heatmap.data);
  const common = { subject: name };
  return (
    <div class="charts">
      <LazyChart
        {...common}
        name="rate"
        basis={`${time}, ${vantageInWords(vantage)}.`}
        title="Requests by class"
        kind="stacked"
        unit="rate"
        error={classes.error}
        data={rates && { ...marked(rates), ghost: ghosts.request_rate }}
      />
      <LazyChart
        {...common}
        name="latency"
        title="Latency"
        basis={capped ? `${seen} Where requests time out, the line is a lower bound.` : seen}
        kind="lines"
        unit="latency"
        error={answers.p99.error ?? answers.p95.error ?? answers.p50.error}
        data={
          latency && {
            ...marked(latency),
            ghost: ghosts.latency_p99,
            heat: belongs(heat?.stepMs, latency) ? heat : null,
          }
        }
        logarithmic={location.value.view.logarithmic}
        onLogarithmic={(next) => changeView({ logarithmic: next })}
      />
      <LazyChart
        {...common}
        name="success"
        title="Success"
        basis={`${seen} The axis need not begin at 0.`}
        kind="lines"
        unit="success"
        error={answers.success.error}
        data={success && { ...marked(success), ghost: ghosts.success_rate }}
      />
      <LazyChart
        {...common}
        name="saturation"
        title="Under way"
        basis={`Open at the scrapes of each step.${saturation}`}
        kind="lines"
        unit="count"
        error={answers.requests.error ?? answers.connections.error}
        data={load && { ...marked(load), ghost: ghosts.active_requests }}
      />
    </div>
  );
}

/** While answers of another step are on their way, what they tell is left out. */
function belongs(stepMs: number | undefined, data: ChartData): boolean {
  return stepMs === data.stepMs;
}

type NamedSignal = readonly [key: string, label: string, answer: Answer<SubjectAnswers['p50']['data'] & object>];

function latencyLines({ p50, p95, p99 }: SubjectAnswers): NamedSignal[] {
  return [
    ['p50', 'p50', p50],
    ['p95', 'p95', p95],
    ['p99', 'p99', p99],
  ];
}

/** Signals as lines; while answers of different steps are on their way, the chart stays as it is. */
function useLines(signals: readonly NamedSignal[], { classes }: SubjectAnswers): ChartData | null {
  const named = signals.flatMap(([key, label, { data }]) => (data ? [{ key, label, answer: data }] : []));
  const complete = classes.data && named.length === signals.length;
  const lines = complete ? lineData(named, classes.data, graceMs.value) : null;
  const latest = useRef(lines);
  latest.current = lines ?? latest.current;
  return latest.current;
}
