import type { ServiceAnswer } from '../../../server/api/contract.ts';
import { api, Refused } from '../../api.ts';
import { ErrorNotice, Notice } from '../../components/notice.tsx';
import { Skeleton } from '../../components/skeleton.tsx';
import { useTitle } from '../../components/title.ts';
import { healthInWords } from '../../figures/explain.ts';
import { judge } from '../../figures/health.ts';
import { spanInWords } from '../../format/time.ts';
import { useAnswer } from '../../state/answer.ts';
import { timeSpan } from '../../state/collector.ts';
import { addressOf } from '../../state/router.ts';
import { FailuresTable } from './failures-table.tsx';
import { InstancesTable, PeersTable, RegionsTable } from './group-tables.tsx';
import { ServiceCharts } from './service-charts.tsx';
import { ServiceFigures } from './service-figures.tsx';
import { ServiceHead } from './service-head.tsx';

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
      {answer.data && !unknown && <ServiceBody answer={answer.data} />}
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

function ServiceBody({ answer }: { readonly answer: ServiceAnswer }) {
  const context = { window: spanInWords(answer.windowMs), vantage: answer.vantage };
  return (
    <>
      <ServiceFigures answer={answer} context={context} />
      <ServiceCharts answer={answer} />
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
