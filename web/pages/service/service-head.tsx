import type { ServiceAnswer } from '../../../server/api/contract.ts';
import { alertsInWords } from '../../components/alerts-badge.tsx';
import { explainedAlone } from '../../components/explained.ts';
import { HealthShape } from '../../components/health-shape.tsx';
import { healthInWords, remark } from '../../figures/explain.ts';
import { judge } from '../../figures/health.ts';
import { status, timeSpan } from '../../state/collector.ts';
import { addressOf } from '../../state/router.ts';
import { traceAddress, traceTemplate } from './trace-link.ts';

interface ServiceHeadProps {
  readonly service: string;
  readonly namespace: string;
  readonly answer: ServiceAnswer | null;
}

const VANTAGE_EXPLANATION = {
  server: 'Its own sidecars see the requests that reach it.',
  client: 'None of its own sidecars sees what reaches it, so these figures are the sum of what its callers measured.',
};

/** To the same service and time in the tracing UI. */
function TraceLink({ service, at }: { readonly service: string; readonly at: number }) {
  const address = traceAddress(traceTemplate(status.value?.config), {
    service,
    from: at - timeSpan.value.windowMs,
    to: at,
  });
  if (address === null) return null;
  return (
    <a class="trace-link" href={address} target="_blank" rel="noreferrer noopener">
      Traces of this time ↗
    </a>
  );
}

/** Who the service is, and whose Envoy saw it. */
export function ServiceHead({ service, namespace, answer }: ServiceHeadProps) {
  const said = answer ? remark(answer) : '';
  const saysAlerts = / alerts? (firing|pending)$/.test(said);
  return (
    <header class="service-head">
      <h1 tabIndex={-1}>
        {answer && <HealthShape health={judge(answer).health} words={healthInWords(answer)} />} {service}
      </h1>
      {answer && (
        <>
          {said !== '' && !saysAlerts && <span class={`remark ${judge(answer).health}`}>{said}</span>}
          {(answer.alerts.firing > 0 || answer.alerts.pending > 0) && (
            <a class="service-alerts" href={addressOf({ name: 'alerts' }, { search: service })}>
              {answer.alerts.firing > 0 && (
                <span class="badge bad">{alertsInWords(answer.alerts.firing, 'firing')}</span>
              )}{' '}
              {answer.alerts.pending > 0 && (
                <span class="badge warn">{alertsInWords(answer.alerts.pending, 'pending')}</span>
              )}
            </a>
          )}
          <ul class="facts">
            {namespace !== '' && <li>namespace {namespace}</li>}
            <li>{answer.role}</li>
            <li {...explainedAlone(VANTAGE_EXPLANATION[answer.vantage])} class="explained">
              {answer.vantage === 'server'
                ? 'measured at the server, by its own sidecars'
                : 'measured at the client, by its callers'}
            </li>
            {answer.regions.length > 0 && <li>{answer.regions.join(', ')}</li>}
            {answer.instances.total > 0 && (
              <li>
                {answer.instances.up < answer.instances.total ? (
                  <span class="remark bad">
                    {answer.instances.total - answer.instances.up} of {answer.instances.total} sidecars down
                    {answer.vantage === 'server' && ', and what passes them is not counted'}
                  </span>
                ) : (
                  `${answer.instances.up} of ${answer.instances.total} sidecars up`
                )}
              </li>
            )}
          </ul>
          <TraceLink service={service} at={answer.at} />
        </>
      )}
    </header>
  );
}
