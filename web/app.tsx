import { useLayoutEffect, useRef } from 'preact/hooks';
import { Footer } from './components/footer.tsx';
import { Header } from './components/header.tsx';
import { HelpDialog } from './components/help-dialog.tsx';
import { helpOpen } from './components/help-open.ts';
import { HintLayer } from './components/hint-layer.tsx';
import { LazyPage } from './components/lazy-page.tsx';
import { ConnectionNotice } from './components/notice.tsx';
import { PageGuard } from './components/page-guard.tsx';
import { useRowKeys } from './components/row-keys.ts';
import { useShortcuts } from './components/shortcuts.ts';
import { HatchPattern } from './components/sparkline.tsx';
import { FleetPage } from './pages/fleet/fleet-page.tsx';
import { InstancePage } from './pages/instance/instance-page.tsx';
import { MissingPage } from './pages/missing-page.tsx';
import { ServicePage } from './pages/service/service-page.tsx';
import { TargetsPage } from './pages/targets/targets-page.tsx';
import { location, returning } from './state/router.ts';
import type { Page } from './state/url.ts';

export function App() {
  const { page } = location.value;
  useRowKeys();
  useShortcuts(openHelp);
  usePlaceOnPage(pageKey(page));
  return (
    <>
      <a class="skip" href="#main">
        Skip to the figures
      </a>
      <Header />
      <ConnectionNotice />
      <main id="main" tabIndex={-1}>
        <PageGuard key={pageKey(page)}>
          <CurrentPage page={page} />
        </PageGuard>
      </main>
      <Footer />
      <HatchPattern />
      <HintLayer />
      <HelpDialog />
    </>
  );
}

function openHelp(): void {
  helpOpen.value = true;
}

/** A page of its own for every service, so that no figure of one is ever shown under the name of another. */
function pageKey(page: Page): string {
  if (page.name === 'service') return JSON.stringify([page.namespace, page.service]);
  return page.name === 'instance' ? JSON.stringify([page.namespace, page.service, page.instance]) : page.name;
}

const loadTopology = async () => (await import('./pages/topology/topology-page.tsx')).TopologyPage;
const loadRegions = async () => (await import('./pages/regions/regions-page.tsx')).RegionsPage;
const loadAlerts = async () => (await import('./pages/alerts/alerts-page.tsx')).AlertsPage;
const loadRules = async () => (await import('./pages/alerts/rules-page.tsx')).RulesPage;
const loadStatus = async () => (await import('./pages/status/status-page.tsx')).StatusPage;

function CurrentPage({ page }: { readonly page: Page }) {
  switch (page.name) {
    case 'fleet':
      return <FleetPage />;
    case 'service':
      return <ServicePage service={page.service} namespace={page.namespace} />;
    case 'instance':
      return <InstancePage service={page.service} namespace={page.namespace} instance={page.instance} />;
    case 'targets':
      return <TargetsPage />;
    case 'topology':
      return <LazyPage label="topology" load={loadTopology} />;
    case 'regions':
      return <LazyPage label="regions" load={loadRegions} />;
    case 'alerts':
      return <LazyPage label="alerts" load={loadAlerts} />;
    case 'rules':
      return <LazyPage label="rules" load={loadRules} />;
    case 'status':
      return <LazyPage label="status" load={loadStatus} />;
    case 'missing':
      return <MissingPage path={page.path} />;
  }
}

/** On a new page the reading starts at its heading; on coming back, where the reader was. */
function usePlaceOnPage(page: string): void {
  const first = useRef(true);
  useLayoutEffect(() => {
    if (first.current) {
      first.current = false;
      return;
    }
    const place = returning.peek();
    const row =
      place?.row === undefined
        ? null
        : document.querySelector<HTMLElement>(`[data-row=${CSS.escape(place.row)}] :is(a, th[tabindex])`);
    const heading = document.querySelector<HTMLElement>('main h1') ?? document.getElementById('main');
    (row ?? heading)?.focus({ preventScroll: true });
    if (place) window.scrollTo(0, place.scrollY ?? 0);
    row?.scrollIntoView({ block: 'nearest' });
  }, [page]);
}
