import { api } from '../../api.ts';
import { Notice } from '../../components/notice.tsx';
import { spanInWords } from '../../format/time.ts';
import type { ListedServices } from '../../listed-service.ts';
import { useAnswer } from '../../state/answer.ts';
import { scrapeIntervalMs, status } from '../../state/collector.ts';
import { addressOf } from '../../state/router.ts';

const EXAMPLE = `discovery:
  static:
    - targets: ["127.0.0.1:9901"]
      labels: { service: checkout }`;

/** What to do while there is no service to show: it depends on how the targets are. */
export function EmptyFleet() {
  const scrape = useAnswer(api.status()).value.data?.scrape;
  if (!scrape) return null;
  if (scrape.targets === 0) return <NoTargets />;
  if (scrape.up === 0 && scrape.down > 0) return <NoneAnswers targets={scrape.targets} />;
  return <Waiting />;
}

/** How to name the first target. */
export function NoTargets() {
  return (
    <Notice kind="plain" title="No targets yet">
      <p>Sidelight reads the admin port of Envoy sidecars. Name one when starting it:</p>
      <pre>sidelight serve --target=127.0.0.1:9901</pre>
      <p>or in the configuration file, which is read again on SIGHUP:</p>
      <pre>{EXAMPLE}</pre>
      <p>
        To see it with a mesh of its own, run <code>npm run demo</code>.
      </p>
    </Notice>
  );
}

function NoneAnswers({ targets }: { readonly targets: number }) {
  return (
    <Notice kind="bad" title={targets === 1 ? 'The target does not answer' : `None of the ${targets} targets answers`}>
      <p>
        The <a href={addressOf({ name: 'targets' })}>targets page</a> says why for each, and what to do.
      </p>
    </Notice>
  );
}

function Waiting() {
  return (
    <Notice kind="plain" title="Waiting for the first two scrapes">
      <p>Figures are what happened between two scrapes. They come every {spanInWords(scrapeIntervalMs.value)}.</p>
    </Notice>
  );
}

interface WaitingNoticeProps {
  readonly answer: ListedServices;
}

const SCRAPES_TO_WAIT = 4;

/** Services are known, but nothing could be measured yet, since the collector has only just started. */
export function WaitingNotice({ answer }: WaitingNoticeProps) {
  const startedAt = status.value?.startedAt;
  const fresh = startedAt !== undefined && answer.at - startedAt < SCRAPES_TO_WAIT * scrapeIntervalMs.value;
  return fresh && answer.services.every(({ state }) => state === 'no_data') ? <Waiting /> : null;
}
