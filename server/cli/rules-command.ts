import { type Command, Option } from 'commander';
import { addFlag, CONFIG_FILE, readConfigOptions, repeatable } from './config-options.ts';
import type { Terminal } from './terminal.ts';

/** Adds `rules` and `rules test`. */
export function addRules(program: Command, terminal: Terminal, done: (code: number) => void): void {
  const rules = program.command('rules').description('print the alert rules as a Prometheus rule file');
  rules.addOption(CONFIG_FILE).action(async () => {
    const { rulesCommand } = await import('./rules.ts');
    done(rulesCommand(readConfigOptions(rules).file, terminal));
  });

  const test = rules.command('test').description('try the alert rules on the stored past, while it is in use or not');
  addFlag(test.addOption(CONFIG_FILE), 'storagePath')
    .option('--window <duration>', 'how far back to go', '7d')
    .option('--max-alerts <number>', 'look for a threshold with at most so many alerts of each rule', '5')
    .addOption(repeatable(new Option('--rule <name>', 'only the rule of this name (repeatable)')))
    .addOption(new Option('--output <format>', 'form of the answer').choices(['table', 'json']).default('table'))
    .action(async ({ window, maxAlerts, rule = [], output }: TestFlags) => {
      const { rulesTest } = await import('./rules-test.ts');
      const progress = process.stderr.isTTY ? showProgress : () => {};
      done(await rulesTest({ ...readConfigOptions(test), window, maxAlerts, rules: rule, output, terminal, progress }));
    });
}

interface TestFlags {
  readonly window: string;
  readonly maxAlerts: string;
  readonly rule?: readonly string[];
  readonly output: 'table' | 'json';
}

const START_OF_LINE = '\r';
const CLEAR_TO_END = '\u001B[K';

/** One line that changes, and goes when the work is done. */
function showProgress(text: string): void {
  process.stderr.write(`${START_OF_LINE}${text}${CLEAR_TO_END}`);
}
