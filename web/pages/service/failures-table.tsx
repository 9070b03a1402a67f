import type { ServiceAnswer } from '../../../server/api/contract.ts';
import { type Column, DataTable } from '../../components/data-table.tsx';
import { Download } from '../../components/download.tsx';
import type { Circumstances } from '../../figures/explain.ts';
import { type ExplainedFailure, explainFailures } from '../../figures/failures.ts';
import { count } from '../../format/number.ts';

interface FailuresTableProps {
  readonly answer: ServiceAnswer;
  readonly context: Circumstances;
}

const COLUMNS: readonly Column<ExplainedFailure>[] = [
  {
    key: 'failure',
    title: 'Reason',
    isHead: true,
    cell: ({ title, explanation }) => (
      <>
        {title}
        <span class="explanation">{explanation}</span>
      </>
    ),
  },
  { key: 'events', title: 'Events', numeric: true, cell: ({ events }) => count(events) },
];

/** What Envoy says went wrong, each with what it means. */
export function FailuresTable({ answer, context }: FailuresTableProps) {
  const failures = explainFailures(answer.failures);
  return (
    <section class="panel failures">
      <div class="panel-head">
        <h2>Failures by reason</h2>
        {failures.length > 0 && (
          <Download
            name={`${answer.service} failures`}
            records={() => failures.map(({ reason, events, explanation }) => ({ reason, events, explanation }))}
          />
        )}
      </div>
      {failures.length === 0 ? (
        <p class="nothing">{nothing(answer, context)}</p>
      ) : (
        <>
          <DataTable
            name="failures-table"
            caption={`Failures by reason over the last ${context.window}`}
            captionHidden
            columns={COLUMNS}
            rows={failures}
            rowKey={({ reason }) => reason}
          />
          <p class="basis">Tries fail too, so these may add up to more than the failed requests.</p>
        </>
      )}
    </section>
  );
}

function nothing(answer: ServiceAnswer, { window }: Circumstances): string {
  if (answer.state === 'no_data') return `Nothing was measured in the last ${window}.`;
  const failed = (answer.codeClasses?.['5xx'] ?? 0) > 0;
  return failed
    ? `No failure on the way in the last ${window}: the 5xx were answers of the service itself.`
    : `No failure in the last ${window}.`;
}
