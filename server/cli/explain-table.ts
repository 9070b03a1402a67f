import type { ExplainedCluster, Explanation } from '../mesh/explain.ts';
import type { ExplainedHost } from '../mesh/explain-hosts.ts';
import type { StatUse } from '../mesh/stat-uses.ts';
import type { Asked } from './explain-answer.ts';
import { UNKNOWN } from './figures.ts';
import { type Column, printable, tableLines } from './table.ts';

export type Printed = Omit<Explanation, 'stats'> & {
  readonly asked: readonly Asked[];
  readonly stats?: readonly StatUse[];
};

/** An explanation for people: one table after the other, each under its name. */
export function explanationLines(explained: Printed): string[] {
  const { target, envoyVersion, answer, asked, managers, clusters, hosts, figures, ignored, advice, stats } = explained;
  const envoy = envoyVersion === '' ? 'an Envoy of unknown version' : `Envoy ${envoyVersion}`;
  const lines = [
    printable(`${target}: ${envoy}`),
    `${answer.form} of ${answer.bytes} bytes: ${answer.used} stats used, ${answer.ignored} ignored`,
    ...section('ASKED', ASKED, asked),
    ...section('UNDERSTOOD AS', FACTS, factsOf(explained)),
    ...section('CONNECTION MANAGERS', PARTS, managers),
    ...section(
      'CLUSTERS',
      CLUSTERS,
      [...clusters].sort((a, b) => ORDER.indexOf(a.is) - ORDER.indexOf(b.is)),
    ),
    ...section('HOSTS, BY /clusters', HOSTS, hosts.slice(0, MOST_HOSTS)),
    ...(hosts.length > MOST_HOSTS ? [`  and ${hosts.length - MOST_HOSTS} more; the JSON form has all`] : []),
    ...section('USED', FIGURES, figures),
    ...section('IGNORED', IGNORED, ignored),
    ...section('EVERY STAT', STATS, stats ?? []),
  ];
  if (advice.length > 0) lines.push('', 'TO GET MORE', ...advice.map((line) => `  - ${printable(line)}`));
  return lines;
}

function section<Row>(title: string, columns: readonly Column<Row>[], rows: readonly Row[]): string[] {
  return rows.length === 0 ? [] : ['', title, ...tableLines(columns, rows).map((line) => `  ${line}`)];
}

const ORDER: readonly ExplainedCluster['is'][] = ['local', 'peer', 'infrastructure', 'unused'];

type Fact = readonly [what: string, value: string, from: string];

function factsOf({ identity, vantage, source, precision, grpcFailures }: Printed): Fact[] {
  const told = { ...identity, vantage, precision, 'inbound figures': source, 'gRPC failures': grpcFailures };
  return Object.entries(told).map(([what, { value, from }]) => [what, value === '' ? UNKNOWN : value, from]);
}

function left<Row>(head: string, text: (row: Row) => string): Column<Row> {
  return { head, align: 'left', text: (row) => shortened(text(row)) };
}

/** Wider cells would push the others out of sight; the JSON form has whole names. */
const WIDEST = 72;

function shortened(text: string): string {
  const letters = [...text];
  return letters.length <= WIDEST ? text : `${letters.slice(0, WIDEST - 1).join('')}…`;
}

function right<Row>(head: string, text: (row: Row) => number): Column<Row> {
  return { head, align: 'right', text: (row) => String(text(row)) };
}

const ASKED: readonly Column<Asked>[] = [
  left('FOR', ({ what }) => what),
  right('STATUS', ({ status }) => status),
  right('BYTES', ({ bytes }) => bytes),
  left('TYPE', ({ contentType }) => contentType),
];

const FACTS: readonly Column<Fact>[] = [
  left('WHAT', ([what]) => what),
  left('IS', ([, value]) => value),
  { head: 'BY', align: 'left', text: ([, , from]) => from },
];

const PARTS: readonly Column<Printed['managers'][number]>[] = [
  left('STAT PREFIX', ({ name }) => name),
  left('IS', ({ is }) => is),
  left('BY', ({ by }) => by),
];

const CLUSTERS: readonly Column<ExplainedCluster>[] = [
  left('CLUSTER', ({ name }) => name || UNKNOWN),
  left('IS', ({ is }) => is),
  left('SERVICE', ({ service }) => service || UNKNOWN),
  left('NAMESPACE', ({ namespace }) => namespace || UNKNOWN),
  left('BY', ({ by }) => by),
];

const MOST_HOSTS = 30;
const HOSTS: readonly Column<ExplainedHost>[] = [
  left('CLUSTER', ({ cluster }) => cluster),
  left('HOST', ({ address }) => address),
  left('SERVICE', ({ service }) => service || UNKNOWN),
  left('BY', ({ by }) => by),
  left('REGION', ({ region }) => region || UNKNOWN),
  left('ZONE', ({ zone }) => zone || UNKNOWN),
  right('ANSWERED', ({ answered }) => answered),
  right('FAILED', ({ failed }) => failed),
];

const FIGURES: readonly Column<Printed['figures'][number]>[] = [
  left('FIGURE', ({ figure }) => figure),
  right('INBOUND', ({ inbound }) => inbound),
  right('OUTBOUND', ({ outbound }) => outbound),
  right('TARGET', ({ target }) => target),
];

const IGNORED: readonly Column<Printed['ignored'][number]>[] = [
  right('STATS', ({ stats }) => stats),
  { head: 'WHY', align: 'left', text: ({ why }) => why },
  left('SUCH AS', ({ examples: [first = ''] }) => first),
];

const STATS: readonly Column<StatUse>[] = [
  { head: 'STAT', align: 'left', text: ({ name }) => name },
  left(
    'USED FOR',
    ({ figures }) => figures.map(({ figure, direction }) => `${direction} ${figure}`.trim()).join(', ') || UNKNOWN,
  ),
  left('IGNORED BECAUSE', ({ why }) => why),
];
