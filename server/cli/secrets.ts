/** What may not be pasted anywhere, wherever in a text it stands, and what is left of it. */
const SECRETS: readonly (readonly [pattern: RegExp, left: string])[] = [
  // user:password@ of an address; in Envoy's stats its colon is an underscore
  [/\/\/[^\s/@"]*@/g, '//…@'],
  // a query
  [/\?[\w.~%[\]-]+=[^\s"]*/g, '?…'],
  [
    /\b((?:[\w-]{0,64}[_-])?(?:password|passwd|pwd|secret|token|api[_-]?key|credentials?|authorization))=[^\s,;&"]+/gi,
    '$1=…',
  ],
  // tokens that tell by their form: JSON web tokens, keys of AWS, GitHub and Slack
  [/\beyJ[\w-]{8,512}\.[\w-]+(?:\.[\w-]*)?/g, '…'],
  [/\b(?:AKIA|ASIA)[0-9A-Z]{16}\b/g, '…'],
  [/\bgh[opsur]_\w{20,}/g, '…'],
  [/\bxox[abeprs]-[\w-]{10,}/g, '…'],
];

/** A text that people may paste into a bug report. */
export function withoutSecrets(text: string): string {
  return SECRETS.reduce((left, [pattern, instead]) => left.replace(pattern, instead), text);
}
