/** Leaves out of a library what the dashboard never comes to: a bundler can drop an export, but no method and no branch. */

import { type Plugin, parseAst } from 'vite';

/**
 * What stands instead of a declaration (`name`) or of a class's method (`Class.name`); an empty text takes a method
 * away. Keys are names in the library's source.
 */
type Stubs = Readonly<Record<string, string>>;

/** A part of the source by its text, where the library has no names left to go by. */
interface Edit {
  readonly find: RegExp;
  readonly replace: string;
}

export interface UnusedParts {
  /** End of the file's path. */
  readonly file: string;
  readonly stubs?: Stubs;
  readonly edits?: readonly Edit[];
}

/** @throws while building, if a file no longer has what was to be left out, as after an update. */
export function withoutUnusedParts(libraries: readonly UnusedParts[]): Plugin {
  return {
    name: 'without-unused-parts',
    enforce: 'pre',
    transform(code, id) {
      const parts = libraries.find(({ file }) => id.endsWith(file));
      return parts ? { code: edited(stubbed(code, parts), parts), map: null } : null;
    },
  };
}

interface Place {
  readonly start: number;
  readonly end: number;
}

function stubbed(code: string, { file, stubs = {} }: UnusedParts): string {
  const places = declared(code);
  const found = Object.entries(stubs).map(([name, stub]) => {
    const place = places.get(name);
    if (!place) throw new Error(`${file} has no ${name} to leave out: look at web/build again`);
    return { ...place, stub };
  });
  return found
    .toSorted((a, b) => b.start - a.start)
    .reduce((text, { start, end, stub }) => text.slice(0, start) + stub + text.slice(end), code);
}

/** Where every function, class, method and single variable of a module is declared. */
function declared(code: string): Map<string, Place> {
  const places = new Map<string, Place>();
  for (const node of parseAst(code).body) {
    if (node.type === 'FunctionDeclaration' && node.id) places.set(node.id.name, node);
    if (node.type === 'VariableDeclaration' && node.declarations[0]?.id.type === 'Identifier')
      places.set(node.declarations[0].id.name, node);
    if (node.type !== 'ClassDeclaration' || !node.id) continue;
    places.set(node.id.name, node);
    for (const member of node.body.body) {
      if (member.type === 'MethodDefinition' && member.key.type === 'Identifier')
        places.set(`${node.id.name}.${member.key.name}`, member);
    }
  }
  return places;
}

function edited(code: string, { file, edits = [] }: UnusedParts): string {
  return edits.reduce((text, { find, replace }) => {
    if (!find.test(text)) throw new Error(`${file} has nothing like ${find} to leave out: look at web/build again`);
    return text.replace(find, replace);
  }, code);
}
