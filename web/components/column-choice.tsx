import { changeView, location } from '../state/router.ts';
import type { Column } from './data-table.tsx';
import { Menu } from './menu.tsx';

/** Which columns of a table are shown; kept in the address. */
export function ColumnChoice<Row>({ columns }: { readonly columns: readonly Column<Row>[] }) {
  const { hidden } = location.value.view;
  const toggle = (key: string) => {
    const next = hidden.includes(key) ? hidden.filter((each) => each !== key) : [...hidden, key];
    changeView({ hidden: next }, { replace: true });
  };
  return (
    <Menu name="column-menu" label="Columns">
      <fieldset>
        <legend class="unseen">Columns shown</legend>
        {columns
          .filter(({ isHead }) => !isHead)
          .map(({ key, title }) => (
            <label key={key}>
              <input type="checkbox" checked={!hidden.includes(key)} onChange={() => toggle(key)} /> {title}
            </label>
          ))}
      </fieldset>
    </Menu>
  );
}
