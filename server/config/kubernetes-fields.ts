import { RE2JS } from 're2js';
import { z } from 'zod';
import { choiceField, countField, type Parsed, textField } from './fields.ts';
import { shown } from './problem.ts';
import { fileField } from './web-fields.ts';

/** What mesh products and people call their Envoys' containers; App Mesh's, Contour's and Envoy Gateway's are `envoy`. */
export const ENVOY_CONTAINERS =
  'envoy|envoy-sidecar|istio-proxy|consul-dataplane|consul-connect-envoy-sidecar|kuma-sidecar|kuma-gateway';

const MAX_SELECTOR = 4096;
/** A requirement of a label selector: `a`, `!a`, `a=b`, `a!=b`, `a in (b, c)`, `a > 1`. */
const LABEL_KEY = '(?:[a-zA-Z0-9.-]+/)?[a-zA-Z0-9](?:[a-zA-Z0-9._-]*[a-zA-Z0-9])?';
const LABEL_VALUE = '(?:[a-zA-Z0-9](?:[a-zA-Z0-9._-]*[a-zA-Z0-9])?)?';
const REQUIREMENT = new RegExp(
  `^\\s*(?:!\\s*${LABEL_KEY}|${LABEL_KEY}(?:\\s*(?:==?|!=)\\s*${LABEL_VALUE}|\\s*[<>]\\s*\\d+|\\s+(?:not)?in\\s*\\([^()]*\\))?)\\s*$`,
);

/** An entry of `discovery.kubernetes`, without the keys that every entry of every mechanism has. */
export const kubernetesFields = {
  kubeconfig: fileField('~/.kube/config')
    .optional()
    .describe("A kubeconfig. By default the pod's service account, else those of $KUBECONFIG, else ~/.kube/config."),
  namespaces: z.array(namespaceField()).prefault([]).describe('Namespaces to look in; by default all.'),
  selector: selectorField().prefault('').describe('Label selector of pods, such as `team=shop`; by default all pods.'),
  container: containerField()
    .prefault(ENVOY_CONTAINERS)
    .describe("RE2 pattern for the whole name of an Envoy's container, native sidecars included."),
  port: countField({ min: 1, max: 65_535 })
    .optional()
    .describe(
      "Admin or Prometheus port of pods that tell none by the annotation `sidelight.io/port` or a port's name. By default what the mesh product uses, else 9901.",
    ),
  access: choiceField('direct', 'proxy')
    .prefault('direct')
    .describe("Whether pods are asked at their own addresses, or through the API server's pod proxy."),
};

function namespaceField() {
  return textField('a name such as shop', (text): Parsed<string> => {
    if (/^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/.test(text)) return { value: text };
    return { error: `${shown(text)} is not a namespace; a name has small letters, digits and -, at most 63` };
  });
}

function selectorField() {
  return textField('a selector such as "app=checkout"', (text): Parsed<string> => {
    if (text.length > MAX_SELECTOR) return { error: `the selector has over ${MAX_SELECTOR} characters` };
    const wrong = text === '' ? undefined : text.split(/,(?![^(]*\))/).find((part) => !REQUIREMENT.test(part));
    if (wrong === undefined) return { value: text };
    return { error: `${shown(wrong)} is not a part of a label selector; write app=checkout, tier in (a, b), or !old` };
  });
}

function containerField() {
  return textField('a pattern such as "envoy|istio-proxy"', (text): Parsed<string> => {
    if (text === '') return { error: 'an empty pattern matches no container; write one such as "envoy|istio-proxy"' };
    try {
      RE2JS.compile(text);
      return { value: text };
    } catch (error) {
      const reason = error instanceof Error ? error.message.replace(/^error parsing regexp: /, '') : String(error);
      return { error: `${shown(text)} is not an RE2 pattern: ${reason}` };
    }
  });
}
