import { Command, CommanderError, Option } from 'commander';
import { closest } from '../config/suggest.ts';
import { VERSION } from '../config/version.ts';
import { addConfigOptions, addFlag, CONFIG_FILE, readConfigOptions, repeatable } from './config-options.ts';
import { addDb } from './db-command.ts';
import { PlainError, plainLine } from './plain-error.ts';
import { addRules } from './rules-command.ts';
import type { Terminal } from './terminal.ts';

const HTTP_CONFIG_FILE = new Option(
  '--http.config.file <file>',
  'how to sign in there: basic_auth, authorization and tls_config, as for promtool',
);
const DEFAULT_URL = 'http://127.0.0.1:9191';

/** Runs the command of `args` (those after the program's name) and gives the exit code. Never throws. */
export async function runProgram(args: readonly string[], terminal: Terminal): Promise<number> {
  let code = 0;
  const program = buildProgram(terminal, (result) => {
    code = result;
  });
  try {
    await program.parseAsync(args, { from: 'user' });
    return code;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode;
    terminal.err(`error: ${plainLine(error)}`);
    return 1;
  }
}

function buildProgram(terminal: Terminal, done: (code: number) => void): Command {
  const program = new Command('sidelight');
  program
    .description('Golden signals of a service mesh, from the Envoy sidecars that carry it.')
    .version(versionLine(), '--version', 'print the version')
    .exitOverride()
    .configureOutput({
      writeOut: (text) => terminal.out(text.trimEnd()),
      outputError: (text) => terminal.err(oneLine(text)),
    });
  addServe(program, terminal, done);
  addCheckConfig(program, terminal, done);
  addDemo(program, terminal, done);
  addStat(program, terminal, done);
  addTargets(program, terminal, done);
  addExplain(program, terminal, done);
  addRules(program, terminal, done);
  addDb(program, terminal, done);
  program
    .command('version')
    .description('print the version')
    .action(() => terminal.out(versionLine()));
  return program.addHelpText('after', '\nWithout a command, serve runs. Its flags: sidelight serve --help');
}

function addServe(program: Command, terminal: Terminal, done: (code: number) => void): void {
  const command = program.command('serve', { isDefault: true }).description('run the collector and its dashboard');
  addConfigOptions(command).allowExcessArguments();
  command.action(async () => {
    const [word] = command.args;
    if (word !== undefined) throw unknownCommand(word, program);
    const { serveCommand } = await import('./serve-command.ts');
    done(await serveCommand({ ...readConfigOptions(command), terminal }));
  });
}

function addCheckConfig(program: Command, terminal: Terminal, done: (code: number) => void): void {
  const command = program.command('check-config').argument('<file>').description('check a configuration file');
  command.action(async (file: string) => {
    const { checkConfig } = await import('./check-config.ts');
    done(checkConfig(file, terminal));
  });
}

function addDemo(program: Command, terminal: Terminal, done: (code: number) => void): void {
  const command = program.command('demo').argument('[mesh]', 'a folder of examples/meshes', 'three-services');
  command.description('run an example mesh of real Envoys with traffic, and the collector on it');
  addFlag(addFlag(command, 'listenAddress'), 'logLevel');
  command.action(async (mesh: string) => {
    const { demoCommand } = await import('./demo-command.ts');
    done(await demoCommand({ mesh, flags: readConfigOptions(command).flags, terminal }));
  });
}

function addStat(program: Command, terminal: Terminal, done: (code: number) => void): void {
  const command = program.command('stat').description('print the golden signals of every service');
  command
    .option('--url <url>', 'where Sidelight runs', DEFAULT_URL)
    .option('--window <duration>', 'how far back to look', '1m')
    .option('--watch', 'ask again and again, until Ctrl-C', false)
    .option('--every <duration>', 'how often, with --watch', '5s')
    .addOption(outputOption())
    .addOption(HTTP_CONFIG_FILE)
    .action(async ({ watch, every, ...options }: StatOptions) => {
      const { stat } = await import('./stat.ts');
      const { fetchBy } = await import('./http-config.ts');
      const httpConfigFile = command.getOptionValue(HTTP_CONFIG_FILE.attributeName());
      const asking = typeof httpConfigFile === 'string' ? fetchBy(httpConfigFile) : fetch;
      const { untilStopped } = await import('./until-stopped.ts');
      const watching = watch ? { every, ...untilStopped(process) } : undefined;
      done(await stat({ ...options, terminal, fetch: asking, watch: watching }));
    });
}

interface StatOptions {
  readonly url: string;
  readonly window: string;
  readonly output: 'table' | 'json';
  readonly watch: boolean;
  readonly every: string;
}

function addTargets(program: Command, terminal: Terminal, done: (code: number) => void): void {
  const command = program.command('targets').description('print what discovery finds, and what it drops and why');
  addConfigOptions(command).addOption(outputOption());
  command.action(async ({ output }: { output: 'table' | 'json' }) => {
    const { targetsCommand } = await import('./targets.ts');
    done(await targetsCommand({ ...readConfigOptions(command), output, terminal }));
  });
}

function addExplain(program: Command, terminal: Terminal, done: (code: number) => void): void {
  const command = program.command('explain').argument('<target|file>', 'such as 10.0.0.5:9901, or a saved answer');
  command
    .description("print how a target's answer is understood, and what to change to get more")
    .addOption(outputOption())
    .option('--all', 'list every stat, with what it is used for or why it is not', false)
    .option('--server-info <file>', 'a saved answer of /server_info, beside one of /stats')
    .addOption(repeatable(new Option('--label <name=value>', 'a label of the target (repeatable)')))
    .addOption(CONFIG_FILE)
    .action(async (subject: string, options: ExplainOptions) => {
      const { explainCommand } = await import('./explain.ts');
      const { output, all, label = [], serverInfo } = options;
      const configFile = readConfigOptions(command).file;
      done(await explainCommand({ subject, output, all, labels: label, serverInfo, configFile, terminal }));
    });
}

interface ExplainOptions {
  readonly output: 'table' | 'json';
  readonly all: boolean;
  readonly label?: readonly string[];
  readonly serverInfo?: string;
}

function outputOption(): Option {
  return new Option('--output <format>', 'form of the answer').choices(['table', 'json']).default('table');
}

function versionLine(): string {
  return `sidelight ${VERSION} (Node.js ${process.version})`;
}

function unknownCommand(word: string, program: Command): PlainError {
  const names = program.commands.map((command) => command.name());
  if (names.includes(word)) return new PlainError(`the command stands before its flags: sidelight ${word} …`);
  const meant = closest(word, names);
  const hint = meant === undefined ? `commands are ${names.join(', ')}` : `did you mean ${meant}?`;
  return new PlainError(`unknown command ${JSON.stringify(word)}; ${hint}`);
}

/** Commander puts its suggestion on a second line, and has none for most options. */
function oneLine(text: string): string {
  const line = text.trim().replaceAll(/\s*\n\s*/g, ' ');
  return /^error: unknown option '[^']*'$/.test(line) ? `${line}; --help lists those that there are` : line;
}
