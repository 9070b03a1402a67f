import type { ServiceAnswer } from '../../../server/api/contract.ts';
import { api, Refused } from '../../api.ts';
import { ErrorNotice, Notice } from '../../components/notice.tsx';
import { Skeleton } from '../../components/skeleton.tsx';
import { useTitle } from '../../components/title.ts';
import { healthInWords } from '../../figures/explain.ts';
import { judge } from '../../figures/health.ts';
import { count } from '../../format/number.ts';
import { windowInWords } from '../../format/time.ts';
import { useAnswer } from '../../state/answer.ts';
import { paused, timeSpan } from '../../state/collector.ts';
import { addressOf } from '../../state/router.ts';
import { FailuresTable } from './failures-table.tsx';
import { InstancesTable, PeersTable, RegionsTable } from './group-tables.tsx';
import { ServiceFigures } from './service-figures.tsx';
import { ServiceHead } from './service-head.tsx';
import { SubjectCharts } from './subject-charts.tsx';

interface ServicePageProps {
  readonly service: string;
  readonly namespace: string;
}

/** Everything about one service. */
export function ServicePage({ service, namespace }: ServicePageProps) {
  const answer = useAnswer(api.service({ service, namespace }, timeSpan.value)).value;
  const alarming = answer.data && judge(answer.data).health === 'bad' ? `${healthInWords(answer.data)}: ` : '';
  useTitle(`${alarming}${service}`);
  const unknown = answer.error instanceof Refused && answer.error.status === 404;
  return (
    <div class="service-page" aria-busy={answer.outdated}>
      <ServiceHead service={service} namespace={namespace} answer={answer.data} />
      {unknown ? <UnknownService service={service} /> : <ErrorNotice error={answer.error} />}
      {answer.data && !unknown && <ServiceBody answer={answer.data} isPast={paused.value || answer.outdated} />}
      {!answer.data && answer.error === null && <Skeleton label={service} rows={6} />}
    </div>
  );
}

function UnknownService({ service }: { readonly service: string }) {
  return (
    <Notice kind="plain" title={`No service is called ${service}`}>
      <p>
        It may have gone, or be known under another name. The <a href={addressOf({ name: 'fleet' })}>fleet</a> lists all
        that were seen.
      </p>
    </Notice>
  );
}

/** Requests that a circuit breaker turned away: the sign that something is full. */
function overflowInWords({ failures, state }: ServiceAnswer): string {
  if (state === 'no_data') return '';
  const events = failures.overflow ?? 0;
  return events > 0
    ? ` Turned away by an open circuit breaker (overflow): ${count(events)}.`
    : ' No circuit breaker turned any away (overflow).';
}

/** Only starts of sidecars are of interest here. */
const TARGETS_EVERY_MS = 30_000;

interface ServiceBodyProps {
  readonly answer: ServiceAnswer;
  /** Whether the answer's time does not end now. */
  readonly isPast: boolean;
}

function ServiceBody({ answer, isPast }: ServiceBodyProps) {
  const targets = useAnswer(api.targetsOf(answer), TARGETS_EVERY_MS).value;
  const context = { window: windowInWords(answer.windowMs, isPast ? answer.at : null), vantage: answer.vantage };
  return (
    <>
      <ServiceFigures answer={answer} context={context} />
      <SubjectCharts
        subject={{ service: answer.service, namespace: answer.namespace }}
        vantage={answer.vantage}
        capped={answer.precision.capped}
        saturation={overflowInWords(answer)}
        targets={targets.data?.targets ?? []}
      />
      <div class="grid">
        <div class="main-tables">
          <InstancesTable answer={answer} context={context} />
          <RegionsTable answer={answer} context={context} />
        </div>
        <FailuresTable answer={answer} context={context} />
        <PeersTable side="upstreams" answer={answer} context={context} />
        <PeersTable side="downstreams" answer={answer} context={context} />
      </div>
    </>
  );
}
