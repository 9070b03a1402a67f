import type { RulesTestAnswer, TriedFiring, TriedRule, TriedSeries } from '../../../server/api/contract.ts';
import { type Column, DataTable } from '../../components/data-table.tsx';
import { Download } from '../../components/download.tsx';
import { explainedAlone } from '../../components/explained.ts';
import { HealthShape } from '../../components/health-shape.tsx';
import { DASH } from '../../format/number.ts';
import { dateTime } from '../../format/time.ts';
import { AlertLabels } from './alert-labels.tsx';
import { FiringTimeline } from './firing-timeline.tsx';
import { firedTimes, lengthInWords, nameOfLabels, percent } from './rule-test-words.ts';

/** Lanes and rows that are shown. */
const MOST_LANES = 12;
const MOST_ROWS = 200;

interface ResultProps {
  readonly rule: TriedRule;
  readonly answer: RulesTestAnswer;
}

/** What one rule would have done. */
export function RuleTestResult({ rule, answer }: ResultProps) {
  const { name, condition, notTried, notes, alerts } = rule;
  const health = notTried !== '' ? 'unknown' : alerts > 0 ? 'bad' : 'good';
  const words =
    notTried !== '' ? 'not tried' : alerts > 0 ? `would have fired ${firedTimes(alerts)}` : 'would not have fired';
  return (
    <article class="tried-rule">
      <h3>
        <HealthShape health={health} words="" /> {name} <span class="remark">{words}</span>
      </h3>
      <p class="explanation">{condition}</p>
      {notTried === '' ? (
        <Facts rule={rule} answer={answer} />
      ) : (
        <p class="explanation">The past can not tell: {notTried}.</p>
      )}
      {notes.map((note) => (
        <p class="explanation" key={note}>
          Other than it runs: {note}.
        </p>
      ))}
      <Firings rule={rule} answer={answer} />
    </article>
  );
}

function Facts({ rule, answer }: ResultProps) {
  const { evaluations, suggestion, firingMs } = rule;
  const { total, tooLittleData, noData } = evaluations;
  return (
    <dl class="tried-facts">
      <div>
        <dt>Firing in all</dt>
        <dd>{lengthInWords(firingMs)}</dd>
      </div>
      <div>
        <dt>Too little data</dt>
        <dd>{percent(tooLittleData, total)}</dd>
      </div>
      <div>
        <dt>No data</dt>
        <dd>{percent(noData, total)}</dd>
      </div>
      <div>
        <dt>At most {firedTimes(answer.maxAlerts)} with</dt>
        <dd>
          {suggestion ? (
            <>
              <code>{suggestion.text}</code> <span class="unit">({firedTimes(suggestion.alerts)})</span>
            </>
          ) : (
            DASH
          )}
        </dd>
      </div>
    </dl>
  );
}

interface FiringRow extends TriedFiring {
  readonly labels: TriedSeries['labels'];
}

function Firings({ rule, answer }: ResultProps) {
  const fired = rule.series.filter(({ firings }) => firings.length > 0);
  if (fired.length === 0) return null;
  const rows: FiringRow[] = fired
    .flatMap(({ labels, firings }) => firings.map((firing) => ({ ...firing, labels })))
    .sort((a, b) => b.from - a.from);
  const left = fired.length - MOST_LANES;
  return (
    <>
      <FiringTimeline series={fired.slice(0, MOST_LANES)} answer={answer} />
      {left > 0 && <p class="explanation">And {left} more that fired for a shorter time.</p>}
      <details class="tried-table">
        <summary>Each time it would have fired</summary>
        <Download name={`${rule.name} firings`} records={() => rows.map((row) => ({ rule: rule.name, ...row }))} />
        <div class="table-scroll">
          <DataTable
            name="tried-firings"
            caption={`${rule.name}: each time it would have fired, the newest first`}
            captionHidden
            columns={columnsOf(answer)}
            rows={rows.slice(0, MOST_ROWS)}
            rowKey={({ labels, from }) => `${from} ${nameOfLabels(labels)}`}
            rowExplanation={(row) => explainedAlone(`${rule.name}, ${nameOfLabels(row.labels)}: ${dateTime(row.from)}`)}
          />
        </div>
        {rows.length > MOST_ROWS && (
          <p class="explanation">
            {rows.length - MOST_ROWS} older ones are left out; <code>sidelight rules test --output=json</code> tells
            all.
          </p>
        )}
      </details>
    </>
  );
}

function columnsOf({ to }: RulesTestAnswer): Column<FiringRow>[] {
  return [
    { key: 'fired', title: 'Fired', isHead: true, cell: ({ from }) => dateTime(from) },
    {
      key: 'length',
      title: 'For',
      numeric: true,
      cell: (row) => (row.to === null ? `${lengthInWords(to - row.from)}, still` : lengthInWords(row.to - row.from)),
    },
    { key: 'labels', title: 'Of', cell: ({ labels }) => <AlertLabels labels={labels} /> },
    { key: 'value', title: 'Value', numeric: true, cell: ({ valueText }) => valueText || DASH },
    { key: 'threshold', title: 'Threshold', numeric: true, cell: ({ thresholdText }) => thresholdText || DASH },
  ];
}
