import type { ServiceAnswer } from '../../../server/api/contract.ts';
import { type Column, DataTable } from '../../components/data-table.tsx';
import { Download } from '../../components/download.tsx';
import type { Circumstances } from '../../figures/explain.ts';
import { originInWords, type SeenFailure, seenFailures } from '../../figures/failures.ts';
import { count } from '../../format/number.ts';

interface FailuresTableProps {
  readonly answer: ServiceAnswer;
  readonly context: Circumstances;
}

const COLUMNS: readonly Column<SeenFailure>[] = [
  {
    key: 'failure',
    title: 'Reason',
    isHead: true,
    cell: ({ title, explanation, where }) => (
      <>
        {title} {where !== '' && <span class="namespace">{where}</span>}
        <span class="explanation">{explanation}</span>
      </>
    ),
  },
  { key: 'events', title: 'Events', numeric: true, cell: ({ events }) => count(events) },
];

/** What Envoy says went wrong, each with what it means. */
export function FailuresTable({ answer, context }: FailuresTableProps) {
  const failures = seenFailures(answer);
  const origin = originInWords(answer);
  return (
    <section class="panel failures">
      <div class="panel-head">
        <h2>Failures by reason</h2>
        {failures.length > 0 && (
          <Download
            name={`${answer.service} failures`}
            records={() =>
              failures.map(({ reason, where, events, explanation }) => ({ reason, where, events, explanation }))
            }
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
            rowKey={({ reason, where }) => `${reason} ${where}`}
          />
          <p class="basis">{origin} Tries fail too, so these may add up to more than the failed requests.</p>
        </>
      )}
    </section>
  );
}

function nothing(answer: ServiceAnswer, { window }: Circumstances): string {
  if (answer.state === 'no_data') return `Nothing was measured in the last ${window}.`;
  const origin = originInWords(answer);
  return origin === '' ? `No failure in the last ${window}.` : `No failure on the way in the last ${window}. ${origin}`;
}
