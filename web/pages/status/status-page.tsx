import '../../styles/status.css';
import type { StatusAnswer } from '../../../server/api/contract.ts';
import { api } from '../../api.ts';
import { Download } from '../../components/download.tsx';
import { ErrorNotice, Notice } from '../../components/notice.tsx';
import { Skeleton } from '../../components/skeleton.tsx';
import { useTitle } from '../../components/title.ts';
import { dateTime, span, spanInWords } from '../../format/time.ts';
import { useAnswer } from '../../state/answer.ts';
import { addressOf } from '../../state/router.ts';
import { configText } from './config-text.ts';
import { Facts } from './facts.tsx';
import { limitInWords, limitName } from './limits.ts';
import { ReceiversPanel } from './receivers-panel.tsx';
import { StoragePanel } from './storage-panel.tsx';

/** How the collector itself does. */
export function StatusPage() {
  const answer = useAnswer(api.status()).value;
  useTitle('Status');
  return (
    <div class="status-page">
      <h1 class="page-title" tabIndex={-1}>
        Status
      </h1>
      <ErrorNotice error={answer.error} />
      {answer.data ? <Status status={answer.data} /> : answer.error === null && <Skeleton label="status" rows={8} />}
    </div>
  );
}

function Status({ status }: { readonly status: StatusAnswer }) {
  return (
    <>
      <Troubles status={status} />
      <div class="grid">
        <StoragePanel storage={status.storage} now={status.now} />
        <CollectorPanel status={status} />
        <DiscoveryPanel discovery={status.discovery} />
        <ReceiversPanel remoteWrite={status.remoteWrite} otlp={status.otlp} now={status.now} />
        <LimitsPanel limits={status.limits} />
        <ConfigPanel status={status} />
      </div>
    </>
  );
}

/** What wants attention, before everything else. */
function Troubles({ status: { storage, reload } }: { readonly status: StatusAnswer }) {
  return (
    <div class="troubles">
      {storage.state === 'failing' && (
        <Notice kind="bad" title="Figures can not be stored">
          <p>
            {storage.failingSince !== null && `Since ${dateTime(storage.failingSince)}: `}
            {storage.message}
          </p>
          <p>
            {storage.waiting} scrapes wait to be stored
            {storage.lost > 0 ? `, and ${storage.lost} had to be given up.` : '. Nothing is lost so far.'} What is shown
            live goes on.
          </p>
        </Notice>
      )}
      {storage.state === 'ok' && storage.message !== '' && (
        <Notice kind="warn" title="Storage">
          <p>{storage.message}</p>
        </Notice>
      )}
      {storage.notice !== '' && (
        <Notice kind="warn" title="Not kept as long as asked">
          <p>{storage.notice}</p>
        </Notice>
      )}
      {reload.errors.length > 0 && (
        <Notice kind="bad" title="The configuration file has mistakes">
          <ul>
            {reload.errors.map((error) => (
              <li key={error}>{error}</li>
            ))}
          </ul>
          <p>
            Read {dateTime(reload.at)}; what was good on {dateTime(reload.goodAt)} stays in force.
          </p>
        </Notice>
      )}
    </div>
  );
}

function CollectorPanel({ status: { build, startedAt, now, scrape } }: { readonly status: StatusAnswer }) {
  return (
    <section class="panel">
      <h2>Collector</h2>
      <Facts
        facts={[
          ['Sidelight', build.version],
          ['Node', build.node],
          ['Running for', `${span(now - startedAt)}, since ${dateTime(startedAt)}`],
          ['Scrapes', `every ${spanInWords(scrape.intervalMs)}, waiting up to ${spanInWords(scrape.timeoutMs)}`],
          [
            'Targets',
            <a key="targets" href={addressOf({ name: 'targets' })}>
              {scrape.up} of {scrape.targets} up{scrape.down > 0 ? `, ${scrape.down} down` : ''}
            </a>,
          ],
        ]}
      />
    </section>
  );
}

function DiscoveryPanel({ discovery }: Pick<StatusAnswer, 'discovery'>) {
  return (
    <section class="panel">
      <div class="panel-head">
        <h2>Discovery</h2>
        {discovery.length > 0 && <Download name="discovery" records={() => discovery} />}
      </div>
      {discovery.length === 0 ? (
        <p class="nothing">Nothing is configured to discover targets.</p>
      ) : (
        <table class="data">
          <caption class="unseen">Entries of discovery</caption>
          <thead>
            <tr>
              <th scope="col">Entry</th>
              <th scope="col">State</th>
            </tr>
          </thead>
          <tbody>
            {discovery.map(({ name, error, answered }) => (
              <tr key={name}>
                <th scope="row">
                  <code>{name}</code>
                </th>
                <td>
                  {error === '' ? (
                    answered ? (
                      'ok'
                    ) : (
                      <span class="missing">no answer yet</span>
                    )
                  ) : (
                    <span class="error-text">{error}</span>
                  )}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </section>
  );
}

function LimitsPanel({ limits }: Pick<StatusAnswer, 'limits'>) {
  const entries = Object.entries(limits);
  if (entries.length === 0) return null;
  return (
    <section class="panel">
      <h2>Limits</h2>
      <Facts facts={entries.map(([name, value]) => [limitName(name), limitInWords(name, value)])} />
    </section>
  );
}

function ConfigPanel({ status: { reload, config } }: { readonly status: StatusAnswer }) {
  return (
    <section class="panel config-panel">
      <h2>Configuration</h2>
      <p class="basis">
        As understood, defaults included and secrets left out. Read {dateTime(reload.at)}
        {reload.errors.length === 0 ? ' without mistakes.' : `; in force is that of ${dateTime(reload.goodAt)}.`}
      </p>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by the keyboard too */}
      <section class="config-text" tabIndex={0} aria-label="Configuration as understood">
        <pre>{configText(config)}</pre>
      </section>
    </section>
  );
}
