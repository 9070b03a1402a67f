/** To whom figures are pushed, and how that goes. */

import type { StatusAnswer } from '../../../server/api/contract.ts';
import { HealthShape } from '../../components/health-shape.tsx';
import { Facts } from './facts.tsx';
import { ofOtlp, ofRemoteWrite } from './receivers.ts';

/** Nothing where nothing is pushed. */
export function ReceiversPanel({ remoteWrite, otlp, now }: Pick<StatusAnswer, 'remoteWrite' | 'otlp' | 'now'>) {
  const receivers = [...remoteWrite.map((one) => ofRemoteWrite(one, now)), ...(otlp ? [ofOtlp(otlp, now)] : [])];
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
