import { z } from 'zod';
import { countField, durationField, field, type Parsed, sizeField, switchField, textField } from './fields.ts';
import { labelsField } from './mesh-fields.ts';
import { described, shown } from './problem.ts';
import { authField, tlsField } from './reach-fields.ts';
import { defaultReceiverName } from './remote-write-config.ts';
import { sampleRule } from './sample-fields.ts';
import { webAddressField } from './web-fields.ts';

const MOST_RECEIVERS = 20;
const MOST_HEADERS = 50;
const NAME = /^[\w.:[\]-]{1,100}$/;
/** What remote write itself says there. */
const OWN_HEADERS = ['content-encoding', 'content-type', 'content-length', 'host', 'transfer-encoding', 'user-agent'];

const queue = z.strictObject({
  max_size: sizeField({ min: '16MiB', max: '1TiB' })
    .prefault('512MiB')
    .describe('Largest size on disk of what waits; above it the oldest is dropped.'),
  max_samples_per_send: countField({ min: 1, max: 100_000 }).prefault(2000).describe('Most samples of a request.'),
  max_shards: countField({ min: 1, max: 64 }).prefault(4).describe('Most requests at once.'),
});

const entry = z.strictObject({
  url: webAddressField().describe('Address of a receiver, such as http://mimir:9009/api/v1/push.'),
  name: textField('mimir', (text): Parsed<string> => {
    if (NAME.test(text)) return { value: text };
    return { error: `${shown(text)} is not a name; use letters, digits, and _ - . : only, at most 100` };
  })
    .optional()
    .describe('What it is called in logs and metrics; by default host and port of the address. Its queue goes by it.'),
  headers: headersField().prefault({}).describe('Headers that are sent, such as X-Scope-OrgID.'),
  auth: authField().optional().describe('What the receiver is sent to let us in.'),
  tls: tlsField().optional().describe('TLS towards the receiver.'),
  timeout: durationField({ min: '100ms', max: '10m' })
    .prefault('30s')
    .describe('Longest time that a request may take.'),
  interval: durationField({ min: '1s', max: '1h' })
    .optional()
    .describe('Time between two samples of a series; by default that between two scrapes, at least 1s.'),
  keep: z.array(sampleRule).prefault([]).describe('If there are any: only the samples that one of them names.'),
  drop: z.array(sampleRule).prefault([]).describe('Samples that are left out.'),
  external_labels: labelsField().prefault({}).describe('Labels that are added to all series that lack them.'),
  send_native_histograms: switchField()
    .prefault(false)
    .describe('Send latency as native histograms, in place of classic buckets.'),
  queue: queue.prefault({}).describe('What waits to be sent, on disk beside the database.'),
});

/** Receivers; each has a name of its own. */
export function remoteWriteField() {
  return z
    .array(entry)
    .max(MOST_RECEIVERS, `at most ${MOST_RECEIVERS} receivers`)
    .check((context) => {
      const first = new Map<string, number>();
      for (const [index, { name: given, url }] of context.value.entries()) {
        const name = given ?? defaultReceiverName(url);
        const other = first.get(name);
        first.set(name, other ?? index);
        if (other === undefined) continue;
        const message = `remote_write[${other}] goes by the name ${name} too; give one of them another name`;
        context.issues.push({ code: 'custom', message, input: given, path: [index, 'name'] });
      }
    });
}

function headersField() {
  return field((written): Parsed<Record<string, string>> => {
    if (typeof written !== 'object' || written === null || Array.isArray(written))
      return { error: `expected a map of headers such as X-Scope-OrgID: shop, found ${described(written)}` };
    const headers = Object.entries(written);
    if (headers.length > MOST_HEADERS)
      return { error: `${headers.length} headers; at most ${MOST_HEADERS} are possible` };
    for (const [name, value] of headers) {
      const problem = headerProblem(name, value);
      if (problem !== undefined) return { error: problem };
    }
    return { value: Object.fromEntries(headers) };
  });
}

function headerProblem(name: string, value: unknown): string | undefined {
  if (!/^[\w!#$%&'*+.^`|~-]+$/.test(name)) return `${shown(name)} is not the name of a header`;
  if (OWN_HEADERS.includes(name.toLowerCase()) || /^x-prometheus-remote-write-/i.test(name))
    return `${name} is a header that remote write sets itself; remove it`;
  if (typeof value !== 'string') return `${name}: expected text, found ${described(value)}; write it in quotes`;
  return /^[\x20-\x7e]*$/.test(value) ? undefined : `${name}: only printable ASCII characters are possible`;
}
