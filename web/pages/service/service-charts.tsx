import { useRef } from 'preact/hooks';
import type { ServiceAnswer } from '../../../server/api/contract.ts';
import { api } from '../../api.ts';
import { codeClassData, lineData } from '../../charts/chart-data.ts';
import { LazyChart } from '../../charts/lazy-chart.tsx';
import { vantageInWords } from '../../figures/explain.ts';
import { spanInWords } from '../../format/time.ts';
import { useAnswer } from '../../state/answer.ts';
import { graceMs, scrapeIntervalMs, timeSpan } from '../../state/collector.ts';
import { changeView, location } from '../../state/router.ts';
import { CHART_POINTS, chooseStep } from '../../state/window.ts';

interface ServiceChartsProps {
  readonly answer: ServiceAnswer;
}

/** How the service did over the window, step by step. */
export function ServiceCharts({ answer }: ServiceChartsProps) {
  const name = { service: answer.service, namespace: answer.namespace };
  const span = timeSpan.value;
  const step = chooseStep({
    windowMs: span.windowMs,
    scrapeIntervalMs: scrapeIntervalMs.value,
    mostPoints: CHART_POINTS,
  });
  const classes = useAnswer(api.codeClasses(name, span, step.step), step.ms).value;
  const p50 = useAnswer(api.series('latency_p50', name, span, step.step), step.ms).value;
  const p95 = useAnswer(api.series('latency_p95', name, span, step.step), step.ms).value;
  const p99 = useAnswer(api.series('latency_p99', name, span, step.step), step.ms).value;
  const { logarithmic } = location.value.view;
  const basis = `last ${spanInWords(span.windowMs)}, steps of ${spanInWords(step.ms)}, ${vantageInWords(answer.vantage)}`;
  const latency =
    classes.data && p50.data && p95.data && p99.data
      ? lineData(
          [
            { key: 'p50', label: 'p50', answer: p50.data },
            { key: 'p95', label: 'p95', answer: p95.data },
            { key: 'p99', label: 'p99', answer: p99.data },
          ],
          classes.data,
          graceMs.value,
        )
      : null;
  // While answers of different steps are on their way, as after a change of the window, the chart stays as it is.
  const latest = useRef(latency);
  latest.current = latency ?? latest.current;
  return (
    <div class="charts">
      <LazyChart
        name="rate"
        title="Requests by class"
        basis={basis}
        kind="stacked"
        unit="rate"
        error={classes.error}
        data={classes.data && codeClassData(classes.data, graceMs.value)}
      />
      <LazyChart
        name="latency"
        title="Latency"
        basis={answer.precision.capped ? `${basis}. Where requests time out, the line is a lower bound.` : basis}
        kind="lines"
        unit="latency"
        error={p99.error ?? p95.error ?? p50.error}
        data={latest.current}
        logarithmic={logarithmic}
        onLogarithmic={(next) => changeView({ logarithmic: next })}
      />
    </div>
  );
}
