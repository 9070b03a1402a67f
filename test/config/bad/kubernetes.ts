import type { BadFile } from '../bad-files.ts';

const entry = (text: string) => `discovery:\n  kubernetes:\n    - ${text}\n`;

export const KUBERNETES: readonly BadFile[] = [
  {
    name: 'an unknown key of Kubernetes discovery',
    yaml: entry('namespace: shop'),
    errors: ['3: discovery.kubernetes[0].namespace: unknown key; did you mean `namespaces`?'],
  },
  {
    name: 'a namespace that is no name',
    yaml: entry('namespaces: [shop, "*", Shop_1]'),
    errors: [
      '3: discovery.kubernetes[0].namespaces[1]: "*" is not a namespace; a name has small letters, digits and -, at most 63',
      '3: discovery.kubernetes[0].namespaces[2]: "Shop_1" is not a namespace; a name has small letters, digits and -, at most 63',
    ],
  },
  {
    name: 'one namespace in place of a list',
    yaml: entry('namespaces: shop'),
    errors: ['3: discovery.kubernetes[0].namespaces: expected a list, found the text "shop"'],
  },
  {
    name: 'a selector that is none',
    yaml: entry('selector: "app: checkout"'),
    errors: [
      '3: discovery.kubernetes[0].selector: "app: checkout" is not a part of a label selector; write app=checkout, tier in (a, b), or !old',
    ],
  },
  {
    name: 'a selector with a broken part',
    yaml: entry('selector: "app=a, tier in (a, b), =b"'),
    errors: [
      '3: discovery.kubernetes[0].selector: " =b" is not a part of a label selector; write app=checkout, tier in (a, b), or !old',
    ],
  },
  {
    name: 'a container pattern that is none',
    yaml: entry('container: "envoy("'),
    errors: ['3: discovery.kubernetes[0].container: "envoy(" is not an RE2 pattern: missing closing ): `envoy(`'],
  },
  {
    name: 'an empty container pattern',
    yaml: entry('container: ""'),
    errors: [
      '3: discovery.kubernetes[0].container: an empty pattern matches no container; write one such as "envoy|istio-proxy"',
    ],
  },
  {
    name: 'a port out of range and an unknown access',
    yaml: entry('{ port: 70000, access: tunnel }'),
    errors: [
      '3: discovery.kubernetes[0].port: 70000 is out of range; write a whole number from 1 to 65535',
      '3: discovery.kubernetes[0].access: "tunnel" is not one of direct, proxy',
    ],
  },
  {
    name: 'a kubeconfig that is no file',
    yaml: entry('kubeconfig: 5'),
    errors: [
      "3: discovery.kubernetes[0].kubeconfig: expected a file's path such as ~/.kube/config, found the number 5",
    ],
  },
];
