import '../../styles/regions.css';
import type { RegionsAnswer } from '../../../server/api/contract.ts';
import { api, type ServiceName } from '../../api.ts';
import { Download } from '../../components/download.tsx';
import { explainedAlone } from '../../components/explained.ts';
import { Figure } from '../../components/figure.tsx';
import { ErrorNotice, Notice } from '../../components/notice.tsx';
import { Skeleton } from '../../components/skeleton.tsx';
import { useTitle } from '../../components/title.ts';
import { compareNames } from '../../format/names.ts';
import { count, rate, share } from '../../format/number.ts';
import { spanInWords } from '../../format/time.ts';
import { useAnswer } from '../../state/answer.ts';
import { timeSpan } from '../../state/collector.ts';
import { addressOf, changeView, location } from '../../state/router.ts';
import { crossing, matrixOf, type Route, routesOf } from './matrix.ts';
import { PlaceMatrix } from './place-matrix.tsx';
import { ServiceRegions } from './service-regions.tsx';

/** From where to where requests go. */
export function RegionsPage() {
  const span = timeSpan.value;
  const service = readName(location.value.view.focus);
  const regions = useAnswer(api.regions(service, span)).value;
  useTitle(service ? `${service.service} · Regions` : 'Regions');
  return (
    <div class="regions-page" aria-busy={regions.outdated}>
      <h1 class="page-title" tabIndex={-1}>
        Regions
      </h1>
      <div class="tools">
        <ServiceChoice service={service} />
        <PlaceChoice />
        {regions.data && <SavedRoutes answer={regions.data} />}
      </div>
      <ErrorNotice error={regions.error} />
      {regions.data ? (
        <Routes answer={regions.data} service={service} />
      ) : (
        regions.error === null && <Skeleton label="regions" rows={6} />
      )}
      {service && <ServiceRegions key={location.value.view.focus} name={service} />}
    </div>
  );
}

function SavedRoutes({ answer }: { readonly answer: RegionsAnswer }) {
  const places = location.value.view.zones ? 'zones' : 'regions';
  return <Download name={places} records={() => answer[places]} />;
}

/** A service in the address is written as in the topology: `namespace/service`. */
function readName(focus: string): ServiceName | null {
  if (focus === '') return null;
  const slash = focus.indexOf('/');
  return slash < 0
    ? { service: focus, namespace: '' }
    : { service: focus.slice(slash + 1), namespace: focus.slice(0, slash) };
}

function idOf({ service, namespace }: ServiceName): string {
  return namespace === '' ? service : `${namespace}/${service}`;
}

/** Which services there are changes rarely. */
const NAMES_EVERY_MS = 60_000;

function ServiceChoice({ service }: { readonly service: ServiceName | null }) {
  const services = useAnswer(api.serviceNames(timeSpan.value), NAMES_EVERY_MS).value.data?.services ?? [];
  const chosen = service ? idOf(service) : '';
  const ids = new Set([...services.map(idOf), ...(chosen === '' ? [] : [chosen])]);
  return (
    <label class="service-choice">
      <span class="unit">Requests to </span>
      <select value={chosen} onChange={(event) => changeView({ focus: event.currentTarget.value })}>
        <option value="">all services</option>
        {[...ids].sort(compareNames).map((id) => (
          <option key={id} value={id}>
            {id}
          </option>
        ))}
      </select>
    </label>
  );
}

function PlaceChoice() {
  const { zones } = location.value.view;
  return (
    <fieldset class="choices">
      <legend class="unseen">Places</legend>
      {[false, true].map((byZone) => (
        <button
          key={String(byZone)}
          type="button"
          aria-pressed={zones === byZone}
          onClick={() => changeView({ zones: byZone })}
        >
          {byZone ? 'Zones' : 'Regions'}
        </button>
      ))}
    </fieldset>
  );
}

interface RoutesProps {
  readonly answer: RegionsAnswer;
  readonly service: ServiceName | null;
}

function Routes({ answer, service }: RoutesProps) {
  const { zones } = location.value.view;
  const routes = routesOf(answer, zones);
  const window = spanInWords(answer.windowMs);
  if (routes.length === 0) return <NoRoutes window={window} service={service} />;
  return (
    <>
      <CrossingStrip routes={routes} place={zones ? 'zone' : 'region'} window={window} />
      <PlaceMatrix matrix={matrixOf(routes)} window={window} kind={zones ? 'zone' : 'region'} />
    </>
  );
}

function NoRoutes({ window, service }: { readonly window: string; readonly service: ServiceName | null }) {
  return (
    <Notice kind="plain" title={`No calls ${service ? `to ${service.service} ` : ''}in the last ${window}`}>
      <p>
        Calls are measured by the Envoys of the callers. Where none is asked, or none called anybody, there is nothing
        to tell from region to region. The <a href={addressOf({ name: 'targets' })}>targets</a> say which Envoys are
        asked.
      </p>
    </Notice>
  );
}

interface CrossingStripProps {
  readonly routes: readonly Route[];
  readonly place: string;
  readonly window: string;
}

function CrossingStrip({ routes, place, window }: CrossingStripProps) {
  const { requests, requestRate, across, within, unknown } = crossing(routes);
  return (
    <dl class="strip crossing" aria-label={`Calls over the last ${window}`}>
      <div>
        <dt>Calls</dt>
        <dd>
          <Figure
            quantity={rate(requestRate)}
            explanation={explainedAlone(`${count(requests)} calls in the last ${window}, measured by the callers`)}
          />
        </dd>
      </div>
      <div>
        <dt>Within a {place}</dt>
        <dd>
          <Figure quantity={share(within)} words="no calls" />
        </dd>
      </div>
      <div>
        <dt>Across {place}s</dt>
        <dd>
          <Figure quantity={share(across)} words="no calls" />
        </dd>
      </div>
      {unknown !== null && unknown > 0 && (
        <div>
          <dt>Not known</dt>
          <dd>
            <Figure
              quantity={share(unknown)}
              explanation={explainedAlone(
                `Of these calls the ${place} of the caller or of who answered is not known. An Envoy tells it where its own node.locality is set and its clusters’ hosts have one.`,
              )}
            />
          </dd>
        </div>
      )}
    </dl>
  );
}
