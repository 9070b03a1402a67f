import { ALERTS } from './bad/alerts.ts';
import { DISCOVERY } from './bad/discovery.ts';
import { KUBERNETES } from './bad/kubernetes.ts';
import { MECHANISMS } from './bad/mechanisms.ts';
import { NAMING } from './bad/naming.ts';
import { OUTPUT } from './bad/output.ts';
import { RELABEL } from './bad/relabel.ts';
import { REMOTE_WRITE } from './bad/remote-write.ts';
import { SCRAPE } from './bad/scrape.ts';
import { STRUCTURE } from './bad/structure.ts';
import { SYNTAX } from './bad/syntax.ts';
import { WEB } from './bad/web.ts';

/** One case per rule: the text of a file and exactly what is said about it, without the file's name and a colon. */
export interface BadFile {
  readonly name: string;
  readonly yaml: string;
  readonly errors: readonly string[];
}

export const BAD_FILES: readonly BadFile[] = [
  ...SYNTAX,
  ...STRUCTURE,
  ...SCRAPE,
  ...DISCOVERY,
  ...KUBERNETES,
  ...MECHANISMS,
  ...RELABEL,
  ...NAMING,
  ...OUTPUT,
  ...ALERTS,
  ...REMOTE_WRITE,
  ...WEB,
];
