import { useEffect, useLayoutEffect, useRef } from 'preact/hooks';
import { Footer } from './components/footer.tsx';
import { Header } from './components/header.tsx';
import { HintLayer } from './components/hint-layer.tsx';
import { ConnectionNotice } from './components/notice.tsx';
import { useRowKeys } from './components/row-keys.ts';
import { HatchPattern } from './components/sparkline.tsx';
import { FleetPage } from './pages/fleet/fleet-page.tsx';
import { InstancePage } from './pages/instance/instance-page.tsx';
import { MissingPage } from './pages/missing-page.tsx';
import { ServicePage } from './pages/service/service-page.tsx';
import { TargetsPage } from './pages/targets/targets-page.tsx';
import { togglePause } from './state/collector.ts';
import { location, returning } from './state/router.ts';
import type { Page } from './state/url.ts';

export function App() {
  const { page } = location.value;
  useRowKeys();
  usePauseKey();
  usePlaceOnPage(pageKey(page));
  return (
    <>
      <a class="skip" href="#main">
        Skip to the figures
      </a>
      <Header />
      <ConnectionNotice />
      <main id="main" tabIndex={-1}>
        <CurrentPage key={pageKey(page)} page={page} />
      </main>
      <Footer />
      <HatchPattern />
      <HintLayer />
    </>
  );
}

/** A page of its own for every service, so that no figure of one is ever shown under the name of another. */
function pageKey(page: Page): string {
  if (page.name === 'service') return JSON.stringify([page.namespace, page.service]);
  return page.name === 'instance' ? JSON.stringify([page.namespace, page.service, page.instance]) : page.name;
}

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
    case 'missing':
      return <MissingPage path={page.path} />;
  }
}

function usePauseKey(): void {
  useEffect(() => {
    const stop = new AbortController();
    const pressed = (event: KeyboardEvent) => {
      const typing = event.target instanceof HTMLElement && event.target.matches('input, select, textarea');
      if (event.key === 'p' && !typing && !event.ctrlKey && !event.metaKey && !event.altKey) togglePause();
    };
    document.addEventListener('keydown', pressed, { signal: stop.signal });
    return () => stop.abort();
  }, []);
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
    (row ?? document.querySelector<HTMLElement>('main h1'))?.focus({ preventScroll: true });
    if (place) window.scrollTo(0, place.scrollY ?? 0);
  }, [page]);
}
