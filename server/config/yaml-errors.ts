import { type Document, isScalar, type LineCounter, visit, type YAMLError } from 'yaml';

/** More lines than these help nobody. */
const MAX_LINES = 20;

export const TOO_DEEP = 'nested too deeply; a configuration needs no more than 32 levels';

/** What the parser found wrong, one line each, in plain words; empty for a well-formed document. */
export function syntaxErrors(document: Document, lines: LineCounter, file: string): string[] {
  const errors = [...document.errors, ...document.warnings];
  const exhausted = errors.find(({ code }) => code === 'RESOURCE_EXHAUSTION');
  if (exhausted !== undefined) return [`${file}:${lines.linePos(exhausted.pos[0]).line}: ${TOO_DEEP}`];
  const told = errors.map((error) => {
    const { line, col } = lines.linePos(startOf(error, document));
    return { line, col, text: `${file}:${line}:${col}: not valid YAML: ${inPlainWords(error)}` };
  });
  told.sort((a, b) => a.line - b.line || a.col - b.col);
  const firstOfLine = told.filter(({ line }, index) => told[index - 1]?.line !== line);
  const more = firstOfLine.length - MAX_LINES;
  const texts = firstOfLine.slice(0, MAX_LINES).map(({ text }) => text);
  return more > 0 ? [...texts, `${file}: and ${more} more lines that are not valid YAML`] : texts;
}

/** The parser tells of a quote that is never closed where the text ends; people look for its beginning. */
function startOf(error: YAMLError, document: Document): number {
  const [end] = error.pos;
  let start = end;
  if (error.code !== 'MISSING_CHAR') return start;
  visit(document, (_, node) => {
    if (!isScalar(node) || !node.range || !node.type?.startsWith('QUOTE')) return undefined;
    const [from, to] = node.range;
    if (from >= end || to < end) return undefined;
    start = from;
    return visit.BREAK;
  });
  return start;
}

function inPlainWords(error: YAMLError): string {
  const message = error.message.split('\n')[0]?.replace(/:$/, '') ?? '';
  switch (error.code) {
    case 'TAB_AS_INDENT':
      return 'a tab indents this line; indent with spaces';
    case 'BAD_INDENT':
      if (/end with a [\]}]$/.test(message))
        return `a ${message.endsWith(']') ? '[ is not closed with ]' : '{ is not closed with }'}`;
      return 'this line is not indented like the others of its map or list';
    case 'MISSING_CHAR':
      if (/closing .quote/.test(message)) return `the quote that begins here is not closed`;
      return lowered(message);
    case 'BLOCK_AS_IMPLICIT_KEY':
      return 'a second "key:" on one line; put it on a line of its own, or the whole text in quotes';
    case 'MULTILINE_IMPLICIT_KEY':
      return 'this line is no "key: value"; a key needs a colon and a space after it';
    case 'BAD_SCALAR_START':
      return `${lowered(message)}; put the text in quotes`;
    case 'BAD_DQ_ESCAPE':
      return `${lowered(message)}; write \\\\ for a backslash, or put the text in single quotes`;
    case 'MULTIPLE_DOCS':
      return 'a second document begins here; keep one, without --- between';
    case 'TAG_RESOLVE_FAILED':
      return `${lowered(message)}; leave the tag out`;
    default:
      return lowered(message);
  }
}

function lowered(message: string): string {
  return message.charAt(0).toLowerCase() + message.slice(1);
}
