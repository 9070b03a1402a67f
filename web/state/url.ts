/** What the address bar holds: which page, and how it is looked at. Pure; reading and writing are each other's inverse. */

/** Pages that are one of their kind, and where they are. */
export const PLAIN_PAGES = {
  fleet: '/',
  topology: '/topology',
  regions: '/regions',
  targets: '/targets',
  alerts: '/alerts',
  rules: '/rules',
  status: '/status',
} as const;

export type PlainPage = keyof typeof PLAIN_PAGES;

export type Page =
  | { readonly name: 'service'; readonly service: string; readonly namespace: string }
  | { readonly name: PlainPage }
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
  /** What is looked at closely: an id of a node of the topology; empty where nothing is. */
  readonly focus: string;
  /** Of a topology only what is in focus and its neighbours. */
  readonly only: boolean;
  /** Services one by one or by namespace; null for whatever suits their number. */
  readonly group: 'service' | 'namespace' | null;
  /** Places are zones rather than regions. */
  readonly zones: boolean;
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
  focus: '',
  only: false,
  group: null,
  zones: false,
};

const WINDOW = /^[1-9]\d{0,4}[smhd]$/;
const GROUPS = ['service', 'namespace'] as const;
const LONGEST_FOCUS = 1000;
const COLUMN = /^[a-z][a-z0-9]*$/;

/** Reads a path and a query string; what it does not understand counts as not given. */
export function decodeLocation(path: string, query: string): Location {
  const parameters = new URLSearchParams(query);
  return { page: decodePage(path, parameters), view: decodeView(parameters) };
}

function decodePage(path: string, parameters: URLSearchParams): Page {
  const plain = plainPageAt(path);
  if (plain) return { name: plain };
  const service = decodeSegment(/^\/services\/([^/]+)$/.exec(path)?.[1]);
  if (service !== null) return { name: 'service', service, namespace: parameters.get('namespace') ?? '' };
  return { name: 'missing', path };
}

function plainPageAt(path: string): PlainPage | undefined {
  return Object.entries(PLAIN_PAGES).find(([, address]) => address === path)?.[0] as PlainPage | undefined;
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
    focus: (parameters.get('focus') ?? '').slice(0, LONGEST_FOCUS),
    only: parameters.get('only') === '1',
    group: GROUPS.find((group) => group === parameters.get('group')) ?? null,
    zones: parameters.get('by') === 'zone',
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
  if (view.focus !== '') parameters.set('focus', view.focus);
  if (view.only) parameters.set('only', '1');
  if (view.group) parameters.set('group', view.group);
  if (view.zones) parameters.set('by', 'zone');
  if (view.pausedAt !== null) parameters.set('paused', String(view.pausedAt));
  const query = parameters.toString().replaceAll('%2C', ',');
  return `${encodePage(page)}${query === '' ? '' : `?${query}`}`;
}

function encodePage(page: Page): string {
  switch (page.name) {
    case 'service':
      return `/services/${encodeURIComponent(page.service)}`;
    case 'missing':
      return page.path;
    default:
      return PLAIN_PAGES[page.name];
  }
}

/** What of a view a reader keeps on going to another page: the time looked at, not that page's order and search. */
export function carriedView(view: View): View {
  return { ...DEFAULT_VIEW, window: view.window, pausedAt: view.pausedAt };
}
