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
  | { readonly name: 'instance'; readonly service: string; readonly namespace: string; readonly instance: string }
  | { readonly name: 'missing'; readonly path: string };

/** Order of a table by one of its columns; null stands for the table's own order. */
export interface Sort {
  readonly column: string;
  readonly descending: boolean;
}

/** A stretch of time with both ends fixed, in Unix milliseconds. */
export interface FixedRange {
  readonly from: number;
  readonly to: number;
}

export type Compare = '' | '1h' | '1d' | '1w';
export type Group = '' | 'namespace' | 'region';

export interface View {
  /** Length of time that figures and charts cover, as the API takes it: `5m`. */
  readonly window: string;
  /** Stands in place of the window where a time with two ends is looked at. */
  readonly range: FixedRange | null;
  /** How much earlier the time is that figures are compared with; empty for none. */
  readonly compare: Compare;
  /** Times in UTC instead of the reader's time zone. */
  readonly utc: boolean;
  /** What the fleet's rows are grouped by. */
  readonly group: Group;
  /** Columns that are not to be shown. */
  readonly hidden: readonly string[];
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
  readonly nodes: 'service' | 'namespace' | null;
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
  range: null,
  compare: '',
  utc: false,
  group: '',
  hidden: [],
  search: '',
  sort: null,
  pausedAt: null,
  tables: [],
  logarithmic: false,
  focus: '',
  only: false,
  nodes: null,
  zones: false,
};

/** What can be compared with; the API knows the same names. */
export const COMPARISONS: readonly Compare[] = ['1h', '1d', '1w'];
export const GROUPS: readonly Group[] = ['namespace', 'region'];
/** The longest time that the API answers for. */
export const MOST_MS = 400 * 86_400_000;

const WINDOW = /^[1-9]\d{0,4}[smhd]$/;
const MOMENT = /^\d{13}$/;
const NODES = ['service', 'namespace'] as const;
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
  const [, ofService, ofInstance] = /^\/services\/([^/]+)\/instances\/([^/]+)$/.exec(path) ?? [];
  const [owner, instance] = [decodeSegment(ofService), decodeSegment(ofInstance)];
  if (owner !== null && instance !== null)
    return { name: 'instance', service: owner, namespace: parameters.get('namespace') ?? '', instance };
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
    range: decodeRange(parameters.get('from') ?? '', parameters.get('to') ?? ''),
    compare: COMPARISONS.find((known) => known === parameters.get('compare')) ?? '',
    utc: parameters.get('tz') === 'utc',
    group: GROUPS.find((known) => known === parameters.get('group')) ?? '',
    hidden: names(parameters.get('hide')),
    search: parameters.get('q') ?? '',
    sort: decodeSort(parameters.get('sort') ?? ''),
    pausedAt: MOMENT.test(pausedAt) ? Number(pausedAt) : null,
    tables: names(parameters.get('table')),
    logarithmic: parameters.get('scale') === 'log',
    focus: (parameters.get('focus') ?? '').slice(0, LONGEST_FOCUS),
    only: parameters.get('only') === '1',
    nodes: NODES.find((known) => known === parameters.get('nodes')) ?? null,
    zones: parameters.get('by') === 'zone',
  };
}

function names(list: string | null): string[] {
  return [...new Set((list ?? '').split(',').filter((name) => COLUMN.test(name)))];
}

function decodeRange(from: string, to: string): FixedRange | null {
  if (!MOMENT.test(from) || !MOMENT.test(to)) return null;
  const range = { from: Number(from), to: Number(to) };
  return range.from < range.to && range.to - range.from <= MOST_MS ? range : null;
}

function decodeSort(given: string): Sort | null {
  const column = given.replace(/^-/, '');
  return COLUMN.test(column) ? { column, descending: given.startsWith('-') } : null;
}

/** The address of a page looked at in a certain way; what is as usual is left out. */
export function encodeLocation({ page, view }: Location): string {
  const parameters = new URLSearchParams();
  if ((page.name === 'service' || page.name === 'instance') && page.namespace !== '')
    parameters.set('namespace', page.namespace);
  if (view.window !== DEFAULT_WINDOW) parameters.set('window', view.window);
  if (view.range) {
    parameters.set('from', String(view.range.from));
    parameters.set('to', String(view.range.to));
  }
  if (view.compare !== '') parameters.set('compare', view.compare);
  if (view.utc) parameters.set('tz', 'utc');
  if (view.group !== '') parameters.set('group', view.group);
  if (view.hidden.length > 0) parameters.set('hide', view.hidden.join(','));
  if (view.sort) parameters.set('sort', `${view.sort.descending ? '-' : ''}${view.sort.column}`);
  if (view.search !== '') parameters.set('q', view.search);
  if (view.tables.length > 0) parameters.set('table', view.tables.join(','));
  if (view.logarithmic) parameters.set('scale', 'log');
  if (view.focus !== '') parameters.set('focus', view.focus);
  if (view.only) parameters.set('only', '1');
  if (view.nodes) parameters.set('nodes', view.nodes);
  if (view.zones) parameters.set('by', 'zone');
  if (view.pausedAt !== null) parameters.set('paused', String(view.pausedAt));
  const query = parameters.toString().replaceAll('%2C', ',');
  return `${encodePage(page)}${query === '' ? '' : `?${query}`}`;
}

function encodePage(page: Page): string {
  switch (page.name) {
    case 'service':
      return `/services/${encodeURIComponent(page.service)}`;
    case 'instance':
      return `/services/${encodeURIComponent(page.service)}/instances/${encodeURIComponent(page.instance)}`;
    case 'missing':
      return page.path;
    default:
      return PLAIN_PAGES[page.name];
  }
}

/** What of a view a reader keeps on going to another page: the time looked at, not that page's order and search. */
export function carriedView(view: View): View {
  const { window, range, compare, utc, pausedAt } = view;
  return { ...DEFAULT_VIEW, window, range, compare, utc, pausedAt };
}
