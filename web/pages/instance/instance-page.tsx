import type { ServiceAnswer, TargetStatus } from '../../../server/api/contract.ts';
import { api, Refused } from '../../api.ts';
import { HealthShape } from '../../components/health-shape.tsx';
import { ErrorNotice, Notice } from '../../components/notice.tsx';
import { Skeleton } from '../../components/skeleton.tsx';
import { useTitle } from '../../components/title.ts';
import { windowInWords } from '../../format/time.ts';
import { useAnswer } from '../../state/answer.ts';
import { paused, timeSpan } from '../../state/collector.ts';
import { addressOf } from '../../state/router.ts';
import { ServiceFigures } from '../service/service-figures.tsx';
import { SubjectCharts } from '../service/subject-charts.tsx';
import { SidecarFacts } from './sidecar-facts.tsx';

interface InstancePageProps {
  readonly service: string;
  readonly namespace: string;
  readonly instance: string;
}

const HEALTH = { up: ['good', 'up'], down: ['bad', 'down'], unknown: ['unknown', 'not asked yet'] } as const;

/** One instance: its figures, and its sidecar. */
export function InstancePage({ service, namespace, instance }: InstancePageProps) {
  const answer = useAnswer(api.service({ service, namespace, instance }, timeSpan.value)).value;
  const targets = useAnswer(api.targetsOf({ service, namespace })).value;
  const sidecar = targets.data?.targets.find(({ labels }) => labels.instance === instance) ?? null;
  useTitle(`${sidecar?.health === 'down' ? 'down: ' : ''}${instance}`);
  const unknown = answer.error instanceof Refused && answer.error.status === 404;
  const known = !unknown && (sidecar !== null || (answer.data?.byInstance.length ?? 0) > 0);
  return (
    <div class="instance-page service-page" aria-busy={answer.outdated}>
      <InstanceHead service={service} namespace={namespace} instance={instance} sidecar={sidecar} />
      {!unknown && <ErrorNotice error={answer.error ?? targets.error} />}
      {(unknown || (answer.data && targets.data && !known)) && (
        <UnknownInstance {...{ service, namespace, instance }} />
      )}
      {known && answer.data && (
        <InstanceFigures
          instance={instance}
          answer={answer.data}
          isPast={paused.value || answer.outdated}
          targets={targets.data?.targets ?? []}
        />
      )}
      {known && sidecar && <SidecarFacts sidecar={sidecar} />}
      {!answer.data && answer.error === null && <Skeleton label={instance} rows={6} />}
    </div>
  );
}

function InstanceHead({ service, namespace, instance, sidecar }: InstancePageProps & { sidecar: TargetStatus | null }) {
  const place = [sidecar?.labels.region, sidecar?.labels.zone].filter(Boolean).join(' / ');
  const [shape, words] = HEALTH[sidecar?.health ?? 'unknown'];
  return (
    <header class="service-head">
      <h1 tabIndex={-1}>
        {sidecar && <HealthShape health={shape} words={words} />} {instance}
      </h1>
      {sidecar?.health === 'down' && <span class="remark bad">its sidecar does not answer</span>}
      <ul class="facts">
        <li>
          instance of <a href={addressOf({ name: 'service', service, namespace })}>{service}</a>
        </li>
        {namespace !== '' && <li>namespace {namespace}</li>}
        {place !== '' && <li>{place}</li>}
        {sidecar && sidecar.envoyVersion !== '' && <li>Envoy {sidecar.envoyVersion}</li>}
      </ul>
    </header>
  );
}

function UnknownInstance({ service, namespace, instance }: InstancePageProps) {
  return (
    <Notice kind="plain" title={`No instance of ${service} is called ${instance}`}>
      <p>
        It may have gone, or the time looked at is kept without telling instances apart. The{' '}
        <a href={addressOf({ name: 'service', service, namespace })}>service</a> lists those that are known.
      </p>
    </Notice>
  );
}

interface InstanceFiguresProps {
  readonly instance: string;
  readonly answer: ServiceAnswer;
  /** Whether the answer's time does not end now. */
  readonly isPast: boolean;
  readonly targets: readonly TargetStatus[];
}

/** Tiers that sum instances can't tell what one of them did. */
function InstanceFigures({ instance, answer, isPast, targets }: InstanceFiguresProps) {
  const { service, namespace, vantage, precision } = answer;
  const context = { window: windowInWords(answer.windowMs, isPast ? answer.at : null), vantage };
  if (vantage === 'client')
    return (
      <Notice kind="plain" title="Its own requests are not seen">
        <p>The service is measured by its callers, which do not tell its instances apart.</p>
      </Notice>
    );
  return (
    <>
      <ServiceFigures answer={answer} context={context} />
      <SubjectCharts
        subject={{ service, namespace, instance }}
        vantage={vantage}
        capped={precision.capped}
        targets={targets}
      />
    </>
  );
}
