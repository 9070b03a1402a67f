import { z } from 'zod';
import { choiceField, field, type Parsed, switchField, textField } from './fields.ts';
import { described } from './problem.ts';
import type { WebAuthConfig, WebRole, WebToken } from './web-config.ts';
import { fileField } from './web-fields.ts';

const BCRYPT = /^\$2[aby]\$(\d\d)\$[./A-Za-z0-9]{53}$/;
/** What a verification may cost: 2^15 rounds take about two seconds. */
const HIGHEST_COST = 15;
const LOWEST_COST = 4;
const MAKE_A_HASH = 'make one with: htpasswd -nBC 10 "" | tr -d ":\\n"';

/** Names with passwords hashed by bcrypt, named as in Prometheus's web configuration. */
export function basicAuthUsersField() {
  return z.record(userNameField(), bcryptField());
}

/** Who may ask: users by name and password, others by token. */
export function webAuthField() {
  const token = z.strictObject({
    name: textField('a name', (text) =>
      text === '' ? { error: 'empty; write who uses the token' } : { value: text },
    ).describe('Who uses the token.'),
    token_file: fileField('prometheus.token').optional().describe('File of the token; read again when it changes.'),
    token_sha256: sha256Field().optional().describe('SHA-256 of the token, in hexadecimal, in place of a file.'),
    role: roleField()
      .prefault('read')
      .describe('read: everything that is asked for with GET. reload: POST /-/reload too.'),
  });
  const written = z.strictObject({
    basic_auth_users: basicAuthUsersField()
      .prefault({})
      .describe('Users, each with the bcrypt hash of the password, as in Prometheus.'),
    roles: z.record(z.string(), roleField()).prefault({}).describe('Roles of users: read (the default) or reload.'),
    bearer_tokens: z.array(token).max(1000).prefault([]).describe('Tokens that are taken as Authorization: Bearer.'),
    open_probes: switchField()
      .prefault(false)
      .describe('Whether /-/healthy and /-/ready answer everybody, as probes of Kubernetes need it.'),
  });
  return written.transform((auth, context): WrittenAuth => {
    const problem = tokenProblem(auth.bearer_tokens);
    if (problem !== undefined) context.issues.push({ code: 'custom', message: problem, input: auth });
    return {
      hashes: auth.basic_auth_users,
      roles: auth.roles,
      tokens: auth.bearer_tokens.map(
        ({ name, token_file, token_sha256, role }): WebToken => ({
          name,
          role,
          ...(token_file === undefined ? {} : { tokenFile: token_file }),
          ...(token_sha256 === undefined ? {} : { sha256: token_sha256 }),
        }),
      ),
      openProbes: auth.open_probes,
    };
  });
}

/** Who may ask, as it is written; users may stand in a file of Prometheus's too. */
export interface WrittenAuth extends Omit<WebAuthConfig, 'users'> {
  /** Of passwords, by name. */
  readonly hashes: Readonly<Record<string, string>>;
  readonly roles: Readonly<Record<string, WebRole>>;
}

function tokenProblem(
  tokens: readonly { name: string; token_file?: string | undefined; token_sha256?: string | undefined }[],
): string | undefined {
  for (const { name, token_file, token_sha256 } of tokens)
    if ((token_file === undefined) === (token_sha256 === undefined))
      return `bearer_tokens: ${JSON.stringify(name)} needs token_file or token_sha256; give one of them`;
  return undefined;
}

function roleField() {
  return choiceField('read', 'reload');
}

function userNameField() {
  return textField('a name', (text) => {
    if (text === '') return { error: 'an empty name; write one' };
    return text.includes(':') || /\p{Cc}/u.test(text) ? { error: 'a name can not hold a colon' } : { value: text };
  });
}

/** The message never shows what was written: it may be the password itself. */
function bcryptField() {
  return field((written): Parsed<string> => {
    if (typeof written !== 'string')
      return { error: `expected a bcrypt hash, found ${kindOf(written)}; ${MAKE_A_HASH}` };
    const cost = Number(BCRYPT.exec(written)?.[1]);
    if (Number.isNaN(cost)) return { error: `not a bcrypt hash; ${MAKE_A_HASH}` };
    if (cost < LOWEST_COST || cost > HIGHEST_COST)
      return { error: `its cost is ${cost}; write one of ${LOWEST_COST} to ${HIGHEST_COST}` };
    return { value: written };
  });
}

function sha256Field() {
  return field((written): Parsed<string> => {
    if (typeof written === 'string' && /^[0-9a-f]{64}$/i.test(written)) return { value: written.toLowerCase() };
    return { error: 'expected 64 hexadecimal digits; make them with: printf %s "$TOKEN" | sha256sum' };
  });
}

function kindOf(written: unknown): string {
  return typeof written === 'number' ? 'a number' : described(written);
}
