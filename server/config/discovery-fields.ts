import { z } from 'zod';
import { parseHost, parsePort } from '../model/target.ts';
import { choiceField, countField, durationField, type Parsed, textField } from './fields.ts';
import { kubernetesFields } from './kubernetes-fields.ts';
import { labelsField, targetField } from './mesh-fields.ts';
import { shown } from './problem.ts';
import { authField, tlsField } from './reach-fields.ts';
import { relabelField } from './relabel-fields.ts';

const refreshField = () => durationField({ min: '1s', max: '1d' });

/** Keys that every entry of every mechanism has. */
export const entryFields = {
  relabel_configs: z
    .array(relabelField())
    .prefault([])
    .describe('Prometheus’s relabel_configs for the targets of this entry, before `discovery.relabel`.'),
  tls: tlsField()
    .optional()
    .describe('TLS towards the targets of this entry, in place of `scrape.tls`; they are then asked by https.'),
  auth: authField().optional().describe('What the targets of this entry are sent, in place of `scrape.auth`.'),
};

const staticEntry = z.strictObject({
  targets: z.array(targetField()).describe('Admin addresses: host:port, [::1]:9901, https://host:port or unix:/path.'),
  labels: labelsField().prefault({}).describe('Labels of all targets of the group.'),
  ...entryFields,
});

const fileEntry = z.strictObject({
  files: z
    .array(targetFileField())
    .describe('Files in Prometheus’s file_sd form, .json, .yml or .yaml; relative to this file; `*` in the last part.'),
  refresh: refreshField().prefault('1m').describe('They are watched, and looked at this often all the same.'),
  ...entryFields,
});

const httpEntry = z.strictObject({
  url: sourceUrlField().describe('Address that answers in Prometheus’s http_sd form.'),
  refresh: refreshField().prefault('60s').describe('Time between two requests.'),
  source_tls: tlsField().optional().describe('TLS towards the server that lists the targets.'),
  source_auth: authField().optional().describe('What that server is sent to let us in.'),
  ...entryFields,
});

const dnsEntry = z
  .strictObject({
    names: z.array(nameField()).describe('Names to look up, with the search domains of resolv.conf.'),
    type: choiceField('A', 'AAAA', 'SRV').prefault('A').describe('Type of the records: A, AAAA or SRV.'),
    port: countField({ min: 1, max: 65_535 }).optional().describe('Admin port; SRV records tell it themselves.'),
    refresh: refreshField().prefault('30s').describe('Time between two lookups; a shorter TTL counts, down to 5s.'),
    labels: labelsField().prefault({}).describe('Labels of all targets of the entry.'),
    servers: z
      .array(serverField())
      .prefault([])
      .describe('Name servers, address or address:port; by default the system’s.'),
    ...entryFields,
  })
  .transform((entry, context) => {
    if (entry.type !== 'SRV' && entry.port === undefined) {
      const message = `${entry.type} records tell no port; write port: 9901`;
      context.issues.push({ code: 'custom', message, input: entry });
    }
    return { ...entry, port: entry.type === 'SRV' ? 0 : (entry.port ?? 0) };
  });

const kubernetesEntry = z.strictObject({ ...kubernetesFields, ...entryFields });

export const discovery = z.strictObject({
  static: z.array(staticEntry).prefault([]).describe('Targets that are listed here.'),
  file: z.array(fileEntry).prefault([]).describe('Targets that are listed in files.'),
  http: z.array(httpEntry).prefault([]).describe('Targets that a server lists.'),
  dns: z.array(dnsEntry).prefault([]).describe('Targets that DNS lists, such as headless services.'),
  kubernetes: z.array(kubernetesEntry).prefault([]).describe('Pods that run an Envoy.'),
  relabel: z
    .array(relabelField())
    .prefault([])
    .describe('Prometheus’s relabel_configs, for the targets of all entries.'),
  targets_limit: countField({ min: 1, max: 1_000_000 })
    .prefault(20_000)
    .describe('Most targets; a set that is larger is refused as a whole, and the one before stays.'),
});

function targetFileField() {
  return textField('targets/*.yaml', (text): Parsed<string> => {
    if (!/\.(?:json|ya?ml)$/i.test(text)) return { error: `${shown(text)} does not end in .json, .yml or .yaml` };
    if (text.includes('\0')) return { error: `${shown(text)} is not a file's path; write targets/*.yaml` };
    if (/\*[^/]*\/|\*[^/]*\*/.test(text))
      return { error: `${shown(text)} has a * before its last part, or two; write one` };
    return { value: text };
  });
}

function sourceUrlField() {
  return textField('http://sd.example.com/targets', (text): Parsed<string> => {
    const url = /^https?:\/\//i.test(text) && URL.canParse(text) ? new URL(text) : undefined;
    if (url === undefined) return { error: `${shown(text)} is not a web address; write http://sd.example.com/targets` };
    if (url.username !== '' || url.password !== '')
      return { error: 'a name or a password in the address; write them under source_auth' };
    return { value: url.href };
  });
}

function nameField() {
  return textField('checkout.default.svc', (text): Parsed<string> => {
    const host = text.includes(':') ? undefined : parseHost(text);
    if (host === undefined || /^[\d.]+$/.test(text))
      return { error: `${shown(text)} is not a name; write such as checkout.default.svc` };
    return { value: host };
  });
}

function serverField() {
  return textField('"10.0.0.53"', (text): Parsed<string> => {
    const [, bracketed, plain, portText] = /^(?:(\[[^\]]*\])|([^:]*))(?::(\d+))?$/.exec(text) ?? [];
    const host = parseHost(bracketed ?? (text.split(':').length > 2 ? `[${text}]` : (plain ?? '')));
    const port = portText === undefined ? 53 : parsePort(portText, 1);
    if (host === undefined || !/^[\d.]+$|:/.test(host) || typeof port === 'string')
      return { error: `${shown(text)} is not an IP address; write such as 10.0.0.53 or 10.0.0.53:53` };
    return { value: `${host.includes(':') ? `[${host}]` : host}:${port}` };
  });
}
