/** What the address bar holds: which page, and how it is looked at. Pure; reading and writing are each other's inverse. */

export type Page =
  | { readonly name: 'fleet' }
  | { readonly name: 'service'; readonly service: string; readonly namespace: string }
  | { readonly name: 'targets' }
  | { readonly name: 'missing'; readonly path: string };

/** Order of a table by one of its columns; null stands for the table's own order. */
export interface Sort {
  readonly column: string;
  readonly descending: boolean;
}

export interface View {
  /** Length of time that figures and charts cover, as the API takes it: `5m`. */
  readonly window: string;
  readonly search: string;
  readonly sort: Sort | null;
  /** Unix milliseconds at which the page was paused; null while it follows the present. */
  readonly pausedAt: number | null;
  /** Charts shown as tables. */
  readonly tables: readonly string[];
  /** Logarithmic latency axis. */
  readonly logarithmic: boolean;
}

export interface Location {
  readonly page: Page;
  readonly view: View;
}

export const DEFAULT_WINDOW = '5m';

export const DEFAULT_VIEW: View = {
  window: DEFAULT_WINDOW,
  search: '',
  sort: null,
  pausedAt: null,
  tables: [],
  logarithmic: false,
};

const WINDOW = /^[1-9]\d{0,4}[smhd]$/;
const COLUMN = /^[a-z][a-z0-9]*$/;

/** Reads a path and a query string; what it does not understand counts as not given. */
export function decodeLocation(path: string, query: string): Location {
  const parameters = new URLSearchParams(query);
  return { page: decodePage(path, parameters), view: decodeView(parameters) };
}

function decodePage(path: string, parameters: URLSearchParams): Page {
  if (path === '/') return { name: 'fleet' };
  if (path === '/targets') return { name: 'targets' };
  const service = decodeSegment(/^\/services\/([^/]+)$/.exec(path)?.[1]);
  if (service !== null) return { name: 'service', service, namespace: parameters.get('namespace') ?? '' };
  return { name: 'missing', path };
}

function decodeSegment(segment: string | undefined): string | null {
  try {
    return segment === undefined ? null : decodeURIComponent(segment);
  } catch {
    return null;
  }
}

function decodeView(parameters: URLSearchParams): View {
  const window = parameters.get('window') ?? '';
  const pausedAt = parameters.get('paused') ?? '';
  return {
    window: WINDOW.test(window) ? window : DEFAULT_WINDOW,
    search: parameters.get('q') ?? '',
    sort: decodeSort(parameters.get('sort') ?? ''),
    pausedAt: /^\d{13}$/.test(pausedAt) ? Number(pausedAt) : null,
    tables: (parameters.get('table') ?? '').split(',').filter((name) => COLUMN.test(name)),
    logarithmic: parameters.get('scale') === 'log',
  };
}

function decodeSort(given: string): Sort | null {
  const column = given.replace(/^-/, '');
  return COLUMN.test(column) ? { column, descending: given.startsWith('-') } : null;
}

/** The address of a page looked at in a certain way; what is as usual is left out. */
export function encodeLocation({ page, view }: Location): string {
  const parameters = new URLSearchParams();
  if (page.name === 'service' && page.namespace !== '') parameters.set('namespace', page.namespace);
  if (view.window !== DEFAULT_WINDOW) parameters.set('window', view.window);
  if (view.sort) parameters.set('sort', `${view.sort.descending ? '-' : ''}${view.sort.column}`);
  if (view.search !== '') parameters.set('q', view.search);
  if (view.tables.length > 0) parameters.set('table', view.tables.join(','));
  if (view.logarithmic) parameters.set('scale', 'log');
  if (view.pausedAt !== null) parameters.set('paused', String(view.pausedAt));
  const query = parameters.toString().replaceAll('%2C', ',');
  return `${encodePage(page)}${query === '' ? '' : `?${query}`}`;
}

function encodePage(page: Page): string {
  switch (page.name) {
    case 'fleet':
      return '/';
    case 'targets':
      return '/targets';
    case 'service':
      return `/services/${encodeURIComponent(page.service)}`;
    case 'missing':
      return page.path;
  }
}

/** What of a view a reader keeps on going to another page: the time looked at, not that page's order and search. */
export function carriedView(view: View): View {
  return { ...DEFAULT_VIEW, window: view.window, pausedAt: view.pausedAt };
}
