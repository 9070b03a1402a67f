import { type Command, Option } from 'commander';
import { type ConfigFlags, FLAGS } from '../config/flags.ts';

type FlagName = keyof typeof FLAGS;

/** What the help says of the flags that stand for keys of the file. */
const HELP: Readonly<Record<FlagName, readonly [value: string, description: string]>> = {
  listenAddress: ['address', 'address of dashboard, API and /metrics (default 127.0.0.1:9191)'],
  webConfigFile: ['file', 'TLS and users of this port, as in Prometheus'],
  storagePath: ['file', 'the database (default data/sidelight.db)'],
  scrapeInterval: ['duration', 'time between two scrapes of a target (default 15s)'],
  logLevel: ['level', 'trace, debug, info, warn or error (default info)'],
  logFormat: ['format', 'text or json (default text)'],
};

const TARGET = repeatable(
  new Option('--target <address>', 'an Envoy admin address, with labels: 127.0.0.1:9901,service=a (repeatable)'),
);
export const CONFIG_FILE = new Option('--config.file <file>', 'configuration in YAML');

/** An option whose values are collected, in the order given. */
export function repeatable(option: Option): Option {
  return option.argParser((value: string, earlier: string[] | undefined) => [...(earlier ?? []), value]);
}

/** Adds `--config.file`, `--target` and the flags that stand for keys of the file. */
export function addConfigOptions(command: Command): Command {
  command.addOption(CONFIG_FILE).addOption(TARGET);
  for (const name of flagNames()) addFlag(command, name);
  return command;
}

/** Adds one flag that stands for a key of the file. */
export function addFlag(command: Command, name: FlagName): Command {
  return command.addOption(optionOf(name));
}

/** What was given of them. Commander keeps a flag with dots under a name of its own making. */
export function readConfigOptions(command: Command): { file: string | undefined; flags: ConfigFlags } {
  const given = command.optsWithGlobals<Record<string, unknown>>();
  const text = (option: Option) => {
    const value = given[option.attributeName()];
    return typeof value === 'string' ? value : undefined;
  };
  const flags = flagNames().flatMap((name) => {
    const value = text(optionOf(name));
    return value === undefined ? [] : [[name, value] as const];
  });
  const targets = given[TARGET.attributeName()];
  return {
    file: text(CONFIG_FILE),
    flags: { ...Object.fromEntries(flags), ...(Array.isArray(targets) ? { targets } : {}) },
  };
}

function optionOf(name: FlagName): Option {
  const [value, description] = HELP[name];
  return new Option(`${FLAGS[name].name} <${value}>`, description);
}

function flagNames(): FlagName[] {
  return Object.keys(FLAGS) as FlagName[];
}
