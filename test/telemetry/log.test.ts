import { expect, test } from 'vitest';
import { createLog, type Logger, type LogOptions, withoutUrlSecrets } from '../../server/telemetry/log.ts';

const TIME = /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/;

/** What is written for an entry, with the time taken out. */
function written(options: Omit<LogOptions, 'output'>, write: (log: Logger) => void): string[] {
  const lines: string[] = [];
  write(createLog({ ...options, output: { write: (line) => lines.push(line) } }));
  return lines.map((line) => {
    expect(line).toMatch(TIME);
    expect(line.indexOf('\n')).toBe(line.length - 1);
    return line.replace(TIME, 'TIME').trimEnd();
  });
}

const failure = new Error('cannot write', { cause: Object.assign(new Error('disk full'), { code: 'ENOSPC' }) });

test.for<[name: string, write: (log: Logger) => void, text: string | undefined]>([
  ['a message', (log) => log.info('Sidelight 0.1.0 listening'), 'TIME INFO  Sidelight 0.1.0 listening'],
  [
    'values',
    (log) => log.warn({ target: '127.0.0.1:9901', tries: 3, ok: false }, 'slow'),
    'TIME WARN  slow target=127.0.0.1:9901 tries=3 ok=false',
  ],
  [
    'values that need quotes',
    (log) => log.info({ a: 'x y', b: 'k=v', c: '', d: '"' }, 'm'),
    'TIME INFO  m a="x y" b="k=v" c="" d="\\""',
  ],
  ['nothing', (log) => log.info({ a: null, b: undefined }, 'm'), 'TIME INFO  m a=null'],
  ['nested values', (log) => log.info({ a: { b: [1, 'c'] } }, 'm'), 'TIME INFO  m a={"b":[1,"c"]}'],
  ['an error', (log) => log.error({ err: failure }, 'store'), 'TIME ERROR store err="cannot write: disk full"'],
  ['an error alone', (log) => log.error(failure), 'TIME ERROR cannot write err="cannot write: disk full"'],
  [
    'an error with a code',
    (log) => log.error({ err: failure.cause }, 'm'),
    'TIME ERROR m err={"message":"disk full","code":"ENOSPC"}',
  ],
  [
    'an error under another name',
    (log) => log.error({ a: { b: new Error('x') } }, 'm'),
    'TIME ERROR m a={"b":{"message":"x"}}',
  ],
  [
    'an error of a child',
    (log) => log.child({ err: failure }).error('m'),
    'TIME ERROR m err="cannot write: disk full"',
  ],
  [
    'line ends and colours',
    (log) => log.info({ a: 'x\ny' }, 'one\ntwo\u001b[31m'),
    'TIME INFO  one\\ntwo\\u001b[31m a="x\\ny"',
  ],
  [
    'secrets',
    (log) => log.info({ token: 't', a: [{ Password: 'p' }], Authorization: 'b' }, 'm'),
    'TIME INFO  m token=[hidden] a=[{"Password":"[hidden]"}] Authorization=[hidden]',
  ],
  ['secrets of a child', (log) => log.child({ secret: 's' }).info('m'), 'TIME INFO  m secret=[hidden]'],
  [
    'passwords in addresses',
    (log) => log.info({ url: 'https://u:p@h:1/a@b' }, 'GET http://me:p%40ss@h/'),
    'TIME INFO  GET http://h/ url=https://h:1/a@b',
  ],
  [
    'a circle',
    (log) => log.info(circle(), 'm'),
    'TIME INFO  m self={"self":{"self":{"self":{"self":{"self":{"self":{"self":{"self":"[deeper]"}}}}}}}}',
  ],
  ['a lower level', (log) => log.debug('m'), undefined],
])('text of %s', ([, write, text]) => {
  expect(written({ level: 'info', format: 'text' }, write)).toEqual(text === undefined ? [] : [text]);
});

test('JSON', () => {
  const [line = ''] = written({ level: 'info', format: 'json' }, (log) =>
    log.warn({ err: failure, token: 't' }, 'http://u:p@h'),
  );
  expect(JSON.parse(line)).toEqual({
    level: 'warn',
    time: 'TIME',
    err: { message: 'cannot write: disk full' },
    token: '[hidden]',
    message: 'http://h',
  });
});

test.for(['text', 'json'] as const)('stacks are told at level debug only, in %s', (format) => {
  const linesAt = (level: 'info' | 'debug') =>
    written({ level, format }, (log) => log.error({ err: failure }, 'm')).join();
  expect(linesAt('info')).not.toContain('log.test.ts');
  expect(linesAt('debug')).toContain('log.test.ts');
});

test.for([
  ['http://u:p@h/', 'http://h/'],
  ['http://u@h and https://a:b@c', 'http://h and https://c'],
  ['http://h/a:b@c', 'http://h/a:b@c'],
  ['mail me@h', 'mail me@h'],
])('%s is written as %s', ([text = '', expected]) => {
  expect(withoutUrlSecrets(text)).toBe(expected);
});

function circle(): Record<string, unknown> {
  const value: Record<string, unknown> = {};
  value.self = value;
  return value;
}
