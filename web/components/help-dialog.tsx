import { useEffect, useRef } from 'preact/hooks';
import { firingAlerts } from '../state/alerts.ts';
import { helpOpen } from './help-open.ts';
import { PAGE_KEYS } from './shortcuts.ts';

type Line = readonly [keys: readonly string[], words: string];

const EVERYWHERE: readonly Line[] = [
  [['/'], 'search this page'],
  [['p'], 'pause, and follow again'],
  [['?'], 'this help'],
  [['Esc'], 'close, empty the search, let go of what is selected'],
];

const TABLES: readonly Line[] = [
  [['j'], 'next row'],
  [['k'], 'row before'],
  [['Home'], 'first row'],
  [['End'], 'last row'],
  [['Enter'], 'open the row'],
];

const GRAPH: readonly Line[] = [
  [['→'], 'to the busiest service it calls'],
  [['←'], 'to its busiest caller'],
  [['↑', '↓'], 'to the service above or below'],
  [['Space'], 'select, and keep its calls in view'],
  [['Enter'], 'open the service'],
  [['+', '−', '0'], 'zoom in, out, fit'],
];

const CHARTS: readonly Line[] = [
  [['←', '→'], 'one step back or on'],
  [['Home', 'End'], 'first and last step'],
];

/** All keys, in a dialog that Escape closes. */
export function HelpDialog() {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(
    () =>
      helpOpen.subscribe((open) => {
        if (open && !dialog.current?.open) dialog.current?.showModal();
        if (!open) dialog.current?.close();
      }),
    [],
  );
  const close = () => {
    helpOpen.value = false;
  };
  const pages = PAGE_KEYS.filter(({ page }) => firingAlerts.value !== null || (page !== 'alerts' && page !== 'rules'));
  return (
    <dialog ref={dialog} class="help" aria-labelledby="help-title" onClose={close}>
      <div class="panel-head">
        <h2 id="help-title">Keys</h2>
        <button type="button" class="small" onClick={close}>
          Close
        </button>
      </div>
      <div class="help-groups">
        <KeyList title="Everywhere" lines={EVERYWHERE} />
        <KeyList title="Go to" lines={pages.map(({ key, title }): Line => [['g', key], title])} />
        <KeyList title="In a table" lines={TABLES} />
        <KeyList title="In the topology" lines={GRAPH} />
        <KeyList title="In a chart" lines={CHARTS} />
      </div>
    </dialog>
  );
}

function KeyList({ title, lines }: { readonly title: string; readonly lines: readonly Line[] }) {
  return (
    <section>
      <h3>{title}</h3>
      <dl class="keys-list">
        {lines.map(([keys, words]) => (
          <div key={words}>
            <dt>
              {keys.map((key) => (
                <kbd key={key}>{key}</kbd>
              ))}
            </dt>
            <dd>{words}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}
