/** A real browser for tests. Whatever a page complains about fails the test that opened it. */

import { execFile } from 'node:child_process';
import { access, constants, mkdtemp, rename, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import sparticuz, { inflate } from '@sparticuz/chromium';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome'];

const FLAGS = [
  '--no-sandbox',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--no-first-run',
  '--disable-quic',
  '--disable-domain-reliability',
  '--no-default-browser-check',
  '--no-pings',
  '--font-render-hinting=none',
];

async function isExecutable(file: string): Promise<boolean> {
  return access(file, constants.X_OK).then(
    () => true,
    () => false,
  );
}

/** The browser's file: `$CHROMIUM`, else one on PATH, else the one that the package carries. */
async function findBrowser(): Promise<string> {
  const chosen = process.env.CHROMIUM;
  if (chosen) {
    if (await isExecutable(chosen)) return chosen;
    throw new Error(`CHROMIUM=${chosen} is not an executable file: name a Chromium, or unset it`);
  }
  for (const folder of (process.env.PATH ?? '').split(delimiter)) {
    for (const name of NAMES) if (await isExecutable(join(folder, name))) return join(folder, name);
  }
  return unpackBrowser();
}

const PACKED = join(import.meta.dirname, '../node_modules/@sparticuz/chromium/bin');

/**
 * Unpacks the package's browser once per machine. It unpacks in place, where a second test would find half a browser,
 * so it is unpacked aside and then moved in one step.
 */
async function unpackBrowser(): Promise<string> {
  const { size } = await stat(join(PACKED, 'chromium.br'));
  const home = join(tmpdir(), `sidelight-chromium-${size}`);
  const file = join(home, 'chromium');
  if (await isExecutable(file)) return file;
  const usual = process.env.TMPDIR;
  const aside = await mkdtemp(`${home}-`);
  process.env.TMPDIR = aside;
  try {
    await sparticuz.executablePath();
    await inflate(join(PACKED, 'al2023.tar.br'));
  } finally {
    if (usual === undefined) delete process.env.TMPDIR;
    else process.env.TMPDIR = usual;
  }
  await rename(aside, home).catch(() => rm(aside, { recursive: true, force: true }));
  return file;
}

/** Libraries that the browser needs and the system lacks. */
async function missingLibraries(file: string, environment: NodeJS.ProcessEnv): Promise<string[]> {
  const { stdout } = await promisify(execFile)('ldd', [file], { env: environment }).catch(() => ({ stdout: '' }));
  return [...stdout.matchAll(/^\s*(\S+) => not found/gm)].map(([, library]) => library ?? '');
}

/** The environment that the browser runs in: the package's own libraries stand in for those the system lacks. */
async function environmentFor(file: string): Promise<NodeJS.ProcessEnv> {
  if ((await missingLibraries(file, process.env)).length === 0) return process.env;
  const environment = {
    ...process.env,
    LD_LIBRARY_PATH: [join(dirname(file), 'al2023', 'lib'), process.env.LD_LIBRARY_PATH].filter(Boolean).join(':'),
  };
  const missing = await missingLibraries(file, environment);
  if (missing.length === 0) return environment;
  throw new Error(
    `the browser needs ${missing.join(', ')}: install them (Debian: apt-get install libnss3), or set CHROMIUM to a browser that runs`,
  );
}

/** Starts a browser without a window. Close it when done. @throws with one line that says what would help. */
export async function launchBrowser(): Promise<Browser> {
  const file = await findBrowser();
  const environment = await environmentFor(file);
  const env = Object.fromEntries(
    Object.entries(environment).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
  try {
    return await chromium.launch({ executablePath: file, args: FLAGS, headless: true, env, downloadsPath: tmpdir() });
  } catch (error) {
    const [reason] = String(error instanceof Error ? error.message : error).split('\n');
    throw new Error(`${file} does not start: ${reason}. Set CHROMIUM to a browser that runs`);
  }
}

export interface PageOptions {
  readonly url: string;
  readonly colorScheme?: 'light' | 'dark';
  readonly width?: number;
  readonly height?: number;
}

export interface OpenPage {
  readonly page: Page;
  /** What the page complained about so far: console errors and warnings, exceptions, policy violations, foreign requests. */
  readonly complaints: string[];
  /** Takes no offence at complaints that match, as where a test breaks the connection on purpose. */
  expectComplaint(pattern: RegExp): void;
  /** Closes the page. @throws if it complained of anything that was not expected. */
  close(): Promise<void>;
}

/** Opens a page in a browser profile of its own. */
export async function openPage(browser: Browser, options: PageOptions): Promise<OpenPage> {
  const { url, colorScheme = 'light', width = 1440, height = 900 } = options;
  const context = await browser.newContext({
    colorScheme,
    viewport: { width, height },
    reducedMotion: 'reduce',
    timezoneId: 'Europe/Berlin',
    locale: 'en-GB',
  });
  const page = await context.newPage();
  const complaints = collectComplaints(page, new URL(url).origin);
  await reportViolations(context, complaints);
  const expected: RegExp[] = [];
  await page.goto(url);
  return {
    page,
    complaints,
    expectComplaint: (pattern) => expected.push(pattern),
    async close() {
      await context.close();
      const unexpected = complaints.filter((complaint) => !expected.some((pattern) => pattern.test(complaint)));
      if (unexpected.length > 0) throw new Error(`the page complained:\n${unexpected.join('\n')}`);
    },
  };
}

function collectComplaints(page: Page, origin: string): string[] {
  const complaints: string[] = [];
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') complaints.push(`console: ${message.text()}`);
  });
  page.on('pageerror', (error) => complaints.push(`exception: ${error.message}`));
  page.on('request', (request) => {
    const foreign = !request.url().startsWith(origin) && !request.url().startsWith('data:');
    if (foreign) complaints.push(`foreign request: ${request.url()}`);
  });
  return complaints;
}

async function reportViolations(context: BrowserContext, complaints: string[]): Promise<void> {
  await context.exposeFunction('reportPolicyViolation', (violation: string) =>
    complaints.push(`content security policy: ${violation}`),
  );
  await context.addInitScript(() => {
    document.addEventListener('securitypolicyviolation', (event) => {
      const report = Reflect.get(window, 'reportPolicyViolation');
      if (typeof report === 'function') report(`${event.violatedDirective} ${event.blockedURI}`);
    });
  });
}
