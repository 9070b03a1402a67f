import type { RuleItem } from '../../../server/api/contract.ts';
import { api } from '../../api.ts';
import { type Column, DataTable } from '../../components/data-table.tsx';
import { Download } from '../../components/download.tsx';
import { explainedAlone } from '../../components/explained.ts';
import { HealthShape } from '../../components/health-shape.tsx';
import { Skeleton } from '../../components/skeleton.tsx';
import { useTitle } from '../../components/title.ts';
import { ago } from '../../format/time.ts';
import { useAnswer } from '../../state/answer.ts';
import { live } from '../../state/collector.ts';
import { addressOf } from '../../state/router.ts';
import { NotOffered } from './alerts-page.tsx';
import { RuleTest } from './rule-test.tsx';

/** What is watched, and how each rule stands. */
export function RulesPage() {
  const answer = useAnswer(api.rules()).value;
  useTitle('Rules');
  const now = live.latestTick.value?.at ?? Date.now();
  return (
    <div class="rules-page">
      <h1 class="page-title" tabIndex={-1}>
        Rules
      </h1>
      <p class="basis">
        What is watched. The <a href={addressOf({ name: 'alerts' })}>alerts</a> tell what fires.
      </p>
      <NotOffered error={answer.error} />
      {answer.data ? (
        <div class="rows-by-key">
          <div class="tools">
            <Download name="rules" records={() => answer.data?.rules ?? []} />
          </div>
          <DataTable
            name="rules-table"
            caption="Rules and how they stand"
            captionHidden
            columns={ruleColumns(now)}
            rows={answer.data.rules}
            rowKey={({ name }) => name}
            rowExplanation={(rule) => explainedAlone(`${rule.name}: ${standing(rule).words}. ${rule.condition ?? ''}`)}
          />
          {answer.data.rules.length === 0 && <p class="nothing">No rule is configured.</p>}
          {answer.data.rules.length > 0 && <RuleTest names={answer.data.rules.map(({ name }) => name)} />}
        </div>
      ) : (
        answer.error === null && <Skeleton label="rules" rows={6} />
      )}
    </div>
  );
}

/** What matters most about a rule. */
function standing({ error, alerts }: RuleItem) {
  if (error !== '') return { health: 'unknown', words: 'can not be worked out' } as const;
  if (alerts.firing > 0) return { health: 'bad', words: `${alerts.firing} firing` } as const;
  if (alerts.pending > 0) return { health: 'warn', words: `${alerts.pending} pending` } as const;
  if (alerts.inactive + alerts.resolved > 0) return { health: 'good', words: 'quiet' } as const;
  const words = alerts.too_little_data > 0 ? 'too little data' : alerts.no_data > 0 ? 'no data' : 'matches nothing';
  return { health: 'unknown', words } as const;
}

function ruleColumns(now: number): Column<RuleItem>[] {
  return [
    {
      key: 'rule',
      title: 'Rule',
      isHead: true,
      cell: (rule) => {
        const { health, words } = standing(rule);
        return (
          <>
            <HealthShape health={health} words={words} /> <b>{rule.name}</b>{' '}
            {rule.builtin && <span class="namespace">built in</span>}
            {rule.error && <span class="error-text">{rule.error}</span>}
          </>
        );
      },
    },
    { key: 'condition', title: 'Fires when', cell: ({ condition = '' }) => condition },
    { key: 'severity', title: 'Severity', cell: ({ severity }) => severity },
    { key: 'state', title: 'Stands', cell: (rule) => standing(rule).words },
    {
      key: 'evaluated',
      title: 'Evaluated',
      numeric: true,
      cell: ({ lastEvaluation = null }) => ago(lastEvaluation, now),
    },
  ];
}
