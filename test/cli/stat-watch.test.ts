import { beforeEach, expect, test } from 'vitest';
import { stat } from '../../server/cli/stat.ts';
import { type Screen, screenOf, type Terminal } from '../../server/cli/terminal.ts';
import { failing, quiet, summary } from '../web/summary.ts';

const SERVICES = [summary('cart'), quiet('idle'), failing('pay', 0.5)];
const CODE = '\u001b[';
/** Whatever moves or colours. */
const CODES = new RegExp(`${CODE.replace('[', '\\[')}[\\d?]*[A-Za-z]`, 'g');
const ENTER = '\u001b[?1049h\u001b[?25l';
const LEAVE = '\u001b[?25h\u001b[?1049l';

let out: string[];
let err: string[];
let written: string[];
beforeEach(() => {
  out = [];
  err = [];
  written = [];
});

interface Run {
  /** What is answered, one after the other; an error is a request that fails. */
  readonly answers: readonly (readonly ReturnType<typeof summary>[] | Error)[];
  readonly output?: 'table' | 'json';
  readonly screen?: Partial<Screen>;
  readonly every?: string;
}

/** Watches until all answers have been given. */
async function watch({
  answers,
  output = 'table',
  screen,
  every = '5s',
}: Run): Promise<{ code: number; slept: number[] }> {
  const fakeScreen = screen && {
    columns: () => 200,
    rows: () => 20,
    colours: true,
    write: (text: string) => void written.push(text),
    ...screen,
  };
  const terminal: Terminal = { out: (line) => out.push(line), err: (line) => err.push(line), screen: fakeScreen };
  const stopping = new AbortController();
  const slept: number[] = [];
  let asked = 0;
  const code = await stat({
    url: 'http://h:1',
    window: '1m',
    output,
    terminal,
    fetch: async () => {
      const answer = answers[asked++] ?? [];
      if (answer instanceof Error) throw answer;
      return Response.json({ at: 0, windowMs: 60_000, window: '1m', offsetMs: 0, tiers: ['raw'], services: answer });
    },
    watch: {
      every,
      stop: stopping.signal,
      sleep: async (ms) => {
        slept.push(ms);
        if (asked >= answers.length) stopping.abort();
      },
      now: () => new Date(2026, 0, 2, 14, 3, asked),
    },
  });
  return { code, slept };
}

test('a terminal is drawn on in place, worst first and in colours, and left as it was found', async () => {
  expect(await watch({ answers: [SERVICES, [summary('cart')]], screen: {} })).toEqual({ code: 0, slept: [5000, 5000] });
  expect(written[0]).toBe(ENTER);
  expect(written.at(-1)).toBe(LEAVE);
  expect(written).toHaveLength(4);
  const [, first = '', second = ''] = written;
  expect(first.startsWith('\u001b[H')).toBe(true);
  expect(first.endsWith('\u001b[J')).toBe(true);
  const lines = first.split('\u001b[K\r\n');
  expect(lines[0]).toContain('Sidelight at http://h:1, last 1m, every 5s; Ctrl-C ends');
  expect(lines[1]).toContain('14:03:01');
  expect(lines[4]).toSatisfy((line: string) => line.startsWith(`${CODE}31m■ pay `) && line.endsWith(`${CODE}0m`));
  expect(lines[5]).toMatch(/^● cart /);
  expect(lines[6]).toSatisfy((line: string) => line.startsWith(`${CODE}2m○ idle `));
  expect(second).not.toContain('pay');
  expect([out, err]).toEqual([[], []]);
});

test('without colours the shapes still tell', async () => {
  await watch({ answers: [SERVICES], screen: { colours: false } });
  expect(written[1]).toContain('■ pay');
  expect(written[1]).not.toContain(`${CODE}31m`);
  expect(written[1]).not.toContain(`${CODE}0m`);
});

test('what has no room is cut off, and counted', async () => {
  await watch({
    answers: [Array.from({ length: 50 }, (_, index) => summary(`s${index}`))],
    screen: { rows: () => 8, columns: () => 20 },
  });
  const lines = (written[1] ?? '').split('\r\n').map((line) => line.replaceAll(CODES, ''));
  expect(lines).toHaveLength(8);
  expect(lines.at(-1)).toBe('… 47 more');
  expect(lines.every((line) => line.length <= 20)).toBe(true);
});

const gone = new TypeError('fetch failed', { cause: Object.assign(new Error('refused'), { code: 'ECONNREFUSED' }) });

test('an answer that fails is told beside the figures that were there', async () => {
  expect((await watch({ answers: [SERVICES, gone, SERVICES], screen: {} })).code).toBe(0);
  expect(written[2]).toContain('Figures of 14:03:01: http://h:1 does not answer: connection refused');
  expect(written[2]).toContain('■ pay');
  expect(written[3]).not.toContain('refused');
});

test('where the first answer fails, it ends', async () => {
  expect(await watch({ answers: [gone], screen: {} })).toEqual({ code: 1, slept: [] });
  expect(err).toEqual(['http://h:1 does not answer: connection refused; is Sidelight running there? see --url']);
  expect(written).toEqual([]);
});

test('where no terminal is, every answer is printed below the one before', async () => {
  await watch({ answers: [[summary('cart')], gone, [summary('cart')]] });
  expect(out.filter((line) => /^14:03:\d\d$/.test(line))).toEqual(['14:03:01', '14:03:03']);
  expect(out.filter((line) => line.startsWith('cart'))).toHaveLength(2);
  expect(out.join('')).not.toContain('\u001b');
  expect(err).toEqual(['http://h:1 does not answer: connection refused; is Sidelight running there? see --url']);
});

test('as JSON, one answer per line, on a terminal too', async () => {
  await watch({ answers: [SERVICES, SERVICES], output: 'json', screen: {} });
  expect(out.map((line) => JSON.parse(line).services.length)).toEqual([3, 3]);
  expect(written).toEqual([]);
});

test.each(['0s', '500ms', 'often'])('--every=%s is refused', async (every) => {
  expect((await watch({ answers: [SERVICES], every })).code).toBe(1);
  expect(err).toEqual([`--every=${every}: at least 1s; write 5s or 1m`]);
});

test.each([
  [false, {}, undefined],
  [true, {}, true],
  [true, { NO_COLOR: '1' }, false],
  [true, { NO_COLOR: '' }, true],
  [true, { TERM: 'dumb' }, false],
])('a stream that is a terminal: %j, with %j: colours %j', (isTTY, environment, colours) => {
  expect(screenOf({ isTTY, columns: 0, rows: 0, write: () => true }, environment)?.colours).toBe(colours);
});
