import { useTitle } from '../components/title.ts';
import { addressOf } from '../state/router.ts';

interface MissingPageProps {
  readonly path: string;
}

/** For an address that leads nowhere. */
export function MissingPage({ path }: MissingPageProps) {
  useTitle('No such page');
  return (
    <section class="missing-page">
      <h1 tabIndex={-1}>There is no page at {path}</h1>
      <p>
        The <a href={addressOf({ name: 'fleet' })}>fleet</a> lists every service, and{' '}
        <a href={addressOf({ name: 'targets' })}>targets</a> every sidecar that is asked.
      </p>
    </section>
  );
}
