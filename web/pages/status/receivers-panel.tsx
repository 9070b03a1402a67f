/** To whom figures are pushed, and how that goes. */

import type { OtlpStatus, RemoteWriteStatus, StatusAnswer } from '../../../server/api/contract.ts';
import { HealthShape } from '../../components/health-shape.tsx';
import { bytes, count, text } from '../../format/number.ts';
import { dateTime, span, spanInWords } from '../../format/time.ts';
import { Facts } from './facts.tsx';

interface Receiver {
  readonly name: string;
  readonly kind: string;
  /** What is wrong; empty when nothing is. */
  readonly trouble: string;
  readonly facts: readonly (readonly [name: string, value: string])[];
}

/** Nothing where nothing is pushed. */
export function ReceiversPanel({ remoteWrite, otlp, now }: Pick<StatusAnswer, 'remoteWrite' | 'otlp' | 'now'>) {
  const receivers = [...remoteWrite.map(ofRemoteWrite), ...(otlp ? [ofOtlp(otlp, now)] : [])];
  if (receivers.length === 0) return null;
  return (
    <section class="panel receivers-panel">
      <h2>Receivers</h2>
      {receivers.map(({ name, kind, trouble, facts }) => (
        <div key={`${kind} ${name}`}>
          <h3>
            <HealthShape health={trouble === '' ? 'good' : 'bad'} words={trouble === '' ? 'ok' : 'failing'} />{' '}
            <code>{name}</code> <span class="unit">{kind}</span>
          </h3>
          {trouble !== '' && <p class="error-text">{trouble}</p>}
          <Facts facts={facts} />
        </div>
      ))}
    </section>
  );
}

function ofRemoteWrite(status: RemoteWriteStatus): Receiver {
  const { name, state, message, failingSince, samplesPending, lagMs, queueBytes, maxQueueBytes } = status;
  const since = failingSince === null ? '' : `Since ${dateTime(failingSince)}: `;
  return {
    name,
    kind: 'remote write',
    trouble: state === 'failing' ? `${since}${message || 'it takes nothing'}` : message,
    facts: [
      ['Sent', `${count(status.samplesSent)} samples of ${count(status.series)} series`],
      ['Waiting', samplesPending === 0 ? 'nothing' : `${count(samplesPending)} samples, the oldest ${span(lagMs)} old`],
      ['Queue', `${text(bytes(queueBytes))}, at most ${text(bytes(maxQueueBytes))}`],
      ['Given up', byReason(status.samplesDropped)],
    ],
  };
}

/** `12 samples (too_old 10, queue_full 2)`. */
function byReason(dropped: Readonly<Record<string, number>>): string {
  const reasons = Object.entries(dropped).filter(([, amount]) => amount > 0);
  if (reasons.length === 0) return 'nothing';
  const total = reasons.reduce((sum, [, amount]) => sum + amount, 0);
  return `${count(total)} samples (${reasons.map(([reason, amount]) => `${reason} ${count(amount)}`).join(', ')})`;
}

function ofOtlp(status: OtlpStatus, now: number): Receiver {
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
