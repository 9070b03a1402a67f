import '../../styles/alerts.css';
import type { AlertItem, AlertsAnswer } from '../../../server/api/contract.ts';
import { api, Refused } from '../../api.ts';
import { type Column, DataTable } from '../../components/data-table.tsx';
import { Download } from '../../components/download.tsx';
import { explainedAlone } from '../../components/explained.ts';
import { HealthShape } from '../../components/health-shape.tsx';
import { ErrorNotice, Notice } from '../../components/notice.tsx';
import { SearchBox } from '../../components/search-box.tsx';
import { Skeleton } from '../../components/skeleton.tsx';
import { useTitle } from '../../components/title.ts';
import { count, threeDigits } from '../../format/number.ts';
import { ago, dateTime } from '../../format/time.ts';
import { useAnswer } from '../../state/answer.ts';
import { live } from '../../state/collector.ts';
import { addressOf, location } from '../../state/router.ts';
import { AlertChart } from './alert-chart.tsx';
import { AlertLabels } from './alert-labels.tsx';
import { alarmKey, alarmOfAlert, alarmOfFiring, signalOf } from './alert-moment.ts';
import { alertKey, orderAlerts, searchAlerts } from './alert-order.ts';
import { ChartButton } from './chart-button.tsx';
import { EndedAlerts, useEnded } from './ended-alerts.tsx';

/** What fires, what is about to, and what ended lately. */
export function AlertsPage() {
  const answer = useAnswer(api.alerts()).value;
  const firing = answer.data?.alerts.filter(({ state }) => state === 'firing').length ?? 0;
  useTitle(firing > 0 ? `${firing} firing · Alerts` : 'Alerts');
  return (
    <div class="alerts-page">
      <h1 class="page-title" tabIndex={-1}>
        Alerts
      </h1>
      <NotOffered error={answer.error} />
      {answer.data ? <Alerts answer={answer.data} /> : answer.error === null && <Skeleton label="alerts" rows={6} />}
    </div>
  );
}

/** A collector of an older version has no alerts at all. */
export function NotOffered({ error }: { readonly error: Error | null }) {
  if (!(error instanceof Refused) || error.status !== 404) return <ErrorNotice error={error} />;
  return (
    <Notice kind="plain" title="This collector evaluates no alerts">
      <p>
        Its version does not offer them. <a href={addressOf({ name: 'status' })}>Status</a> tells which one it is.
      </p>
    </Notice>
  );
}

/** They change only when they are configured anew. */
const RULES_EVERY_MS = 60_000;
const SHAPES = { firing: 'bad', pending: 'warn', resolved: 'good' } as const;

function Alerts({ answer }: { readonly answer: AlertsAnswer }) {
  const { search, focus } = location.value.view;
  const known = new Set(answer.alerts.map((alert) => alarmKey(alarmOfAlert(alert))));
  const ended = useEnded().filter((firing) => !known.has(alarmKey(alarmOfFiring(firing))));
  const rules = useAnswer(api.rules(), RULES_EVERY_MS).value.data;
  const isUndrawn = (name: string) =>
    rules?.rules.some((rule) => rule.name === name && signalOf(rule) === null) ?? false;
  const rows = orderAlerts(searchAlerts(answer.alerts, search));
  const now = live.latestTick.value?.at ?? Date.now();
  const counts = (['firing', 'pending', 'resolved'] as const).map(
    (state) => [state, answer.alerts.filter((alert) => alert.state === state).length] as const,
  );
  const alarms = [...rows.map(alarmOfAlert), ...ended.map(alarmOfFiring)];
  const chosen = alarms.find((alarm) => alarmKey(alarm) === focus);
  const shown = chosen ?? alarms.find(({ name }) => !isUndrawn(name)) ?? alarms[0];
  const shownKey = shown ? alarmKey(shown) : '';
  const chart = shown && rules && (
    <AlertChart
      key={shownKey}
      alarm={shown}
      rule={rules.rules.find(({ name }) => name === shown.name) ?? null}
      chosen={chosen !== undefined}
    />
  );
  if (answer.alerts.length === 0)
    return (
      <>
        <AllQuiet />
        {chart}
        <EndedAlerts ended={ended} areOthers={false} now={now} focus={shownKey} />
      </>
    );
  return (
    <>
      <p class="health-counts">
        {counts.map(([state, amount]) => (
          <span key={state}>
            <HealthShape health={SHAPES[state]} words="" />
            {amount}
            <span class="unit"> {state === 'resolved' ? 'resolved lately' : state}</span>
          </span>
        ))}
      </p>
      <div class="tools">
        <SearchBox label="Search alerts" />
        <a href={addressOf({ name: 'rules' })}>Rules</a>
        <Download name="alerts" records={() => rows} />
      </div>
      {chart}
      <div class="rows-by-key">
        <DataTable
          name="alerts-table"
          caption="Alerts: firing ones first"
          captionHidden
          columns={alertColumns({ now, focus: shownKey, isUndrawn })}
          rows={rows}
          rowKey={alertKey}
          rowExplanation={(alert) =>
            explainedAlone(`${alert.name}: ${alert.state}, severity ${alert.severity || 'not set'}`)
          }
        />
      </div>
      {rows.length === 0 && <p class="nothing">No alert matches “{search}”.</p>}
      <EndedAlerts ended={ended} areOthers now={now} focus={shownKey} />
    </>
  );
}

function AllQuiet() {
  return (
    <Notice kind="plain" title="Nothing fires">
      <p>
        No alert is pending or firing. The <a href={addressOf({ name: 'rules' })}>rules</a> tell what is watched.
      </p>
    </Notice>
  );
}

interface AlertsContext {
  readonly now: number;
  /** The alert whose chart is shown. */
  readonly focus: string;
  /** Whether a rule, by its name, is about scrapes rather than about a figure of the service. */
  readonly isUndrawn: (name: string) => boolean;
}

function alertColumns({ now, focus, isUndrawn }: AlertsContext): Column<AlertItem>[] {
  return [
    {
      key: 'alert',
      title: 'Alert',
      isHead: true,
      cell: (alert) => (
        <>
          <HealthShape health={SHAPES[alert.state] ?? 'unknown'} words={alert.state} /> <b>{alert.name}</b>{' '}
          <span class={`remark ${SHAPES[alert.state] ?? ''}`}>{alert.state}</span>
          <span class="explanation">{alert.annotations.summary ?? ''}</span>
        </>
      ),
    },
    { key: 'labels', title: 'Of', cell: ({ labels }) => <AlertLabels labels={labels} /> },
    { key: 'severity', title: 'Severity', cell: ({ severity }) => severity },
    {
      key: 'value',
      title: 'Value',
      numeric: true,
      cell: ({ name, value, valueText }) => !isUndrawn(name) && (valueText || plain(value)),
    },
    {
      key: 'threshold',
      title: 'Threshold',
      numeric: true,
      cell: ({ name, threshold, thresholdText }) => !isUndrawn(name) && (thresholdText || plain(threshold)),
    },
    {
      key: 'requests',
      title: 'Requests',
      numeric: true,
      meaning: 'Requests that the value rests on',
      cell: ({ name, requests }) => !isUndrawn(name) && (requests === null ? <NotKnown /> : count(requests)),
    },
    {
      key: 'since',
      title: 'Since',
      numeric: true,
      cell: ({ since }) => <span data-hint={dateTime(since)}>{ago(since, now)}</span>,
    },
    {
      key: 'chart',
      title: 'Chart',
      cell: (alert) => !isUndrawn(alert.name) && <ChartButton alarm={alarmOfAlert(alert)} focus={focus} />,
    },
  ];
}

function plain(value: number | null) {
  return value === null ? <NotKnown /> : threeDigits(value);
}

function NotKnown() {
  return (
    <span class="missing">
      <span aria-hidden="true">—</span>
      <span class="unseen">not known</span>
    </span>
  );
}
