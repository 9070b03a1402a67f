import type { AlertCounts } from '../../server/api/contract.ts';
import { explainedByPointer } from './explained.ts';
import { HealthShape } from './health-shape.tsx';

/** How many alerts of one service fire, and how many are about to; nothing where none does. */
export function AlertsBadge({ alerts: { firing, pending } }: { readonly alerts: AlertCounts }) {
  return (
    <span class="alerts-badge">
      {firing > 0 && (
        <span class="badge bad" {...explainedByPointer(alertsInWords(firing, 'firing'))}>
          <HealthShape health="bad" words="" /> {firing}
          <span class="unseen"> firing</span>
        </span>
      )}
      {pending > 0 && (
        <span class="badge warn" {...explainedByPointer(alertsInWords(pending, 'pending'))}>
          <HealthShape health="warn" words="" /> {pending}
          <span class="unseen"> pending</span>
        </span>
      )}
    </span>
  );
}

/** `2 alerts firing`. */
export function alertsInWords(amount: number, state: 'firing' | 'pending'): string {
  return `${amount} ${amount === 1 ? 'alert' : 'alerts'} ${state}`;
}
