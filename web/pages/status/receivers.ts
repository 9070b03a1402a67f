/** What the Status page tells of a receiver. */

import type { OtlpStatus, RemoteWriteStatus } from '../../../server/api/contract.ts';
import { bytes, configuredSize, count, text } from '../../format/number.ts';
import { dateTime, span, spanInWords } from '../../format/time.ts';

export interface Receiver {
  readonly name: string;
  readonly kind: string;
  /** What is wrong; empty when nothing is. */
  readonly trouble: string;
  readonly facts: readonly (readonly [name: string, value: string])[];
}

export function ofRemoteWrite(status: RemoteWriteStatus, now: number): Receiver {
  const { name, state, message, failingSince, samplesPending, lagMs, queueBytes, maxQueueBytes, lastError } = status;
  const since = failingSince === null ? '' : `Since ${dateTime(failingSince)}: `;
  return {
    name,
    kind: 'remote write',
    trouble: state === 'failing' ? `${since}${message || 'it takes nothing'}` : message,
    facts: [
      ['Sent', `${count(status.samplesSent)} samples of ${count(status.series)} series`],
      ['Waiting', samplesPending === 0 ? 'nothing' : `${count(samplesPending)} samples, the oldest ${span(lagMs)} old`],
      ['Queue', `${text(bytes(queueBytes))}, at most ${configuredSize(maxQueueBytes)}`],
      ['Given up', byReason(status.samplesDropped)],
      ['Last error', lastError === null ? 'none' : `${span(now - lastError.at)} ago: ${lastError.reason}`],
    ],
  };
}

/** `12 samples (refused 10, full 2)`. */
function byReason(dropped: Readonly<Record<string, number>>): string {
  const reasons = Object.entries(dropped).filter(([, amount]) => amount > 0);
  if (reasons.length === 0) return 'nothing';
  const total = reasons.reduce((sum, [, amount]) => sum + amount, 0);
  return `${count(total)} samples (${reasons.map(([reason, amount]) => `${reason} ${count(amount)}`).join(', ')})`;
}

export function ofOtlp(status: OtlpStatus, now: number): Receiver {
  const { acceptedAt, accepted, rejected, dropped, retries } = status;
  return {
    name: status.endpoint,
    kind: `OTLP by ${status.protocol}`,
    trouble: status.problem,
    facts: [
      ['Sends', `${status.temporality} sums every ${spanInWords(status.intervalMs)}`],
      ['Taken', `${count(accepted)} points${acceptedAt === null ? '' : `, last ${span(now - acceptedAt)} ago`}`],
      ['Not taken', rejected + dropped === 0 ? 'nothing' : `${count(rejected)} left out, ${count(dropped)} refused`],
      ['Tried again', `${count(retries)} requests`],
    ],
  };
}
