import type { BadFile } from '../bad-files.ts';

const MAKE = 'make one with: htpasswd -nBC 10 "" | tr -d ":\\n"';

export const WEB: readonly BadFile[] = [
  {
    name: 'a password in place of its hash, which is not shown',
    yaml: 'web:\n  auth:\n    basic_auth_users:\n      a: hunter2\n      b: 12345\n      c: []\n      d: "$2b$31$aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"\n',
    errors: [
      `4: web.auth.basic_auth_users.a: not a bcrypt hash; ${MAKE}`,
      `5: web.auth.basic_auth_users.b: expected a bcrypt hash, found a number; ${MAKE}`,
      `6: web.auth.basic_auth_users.c: expected a bcrypt hash, found a list; ${MAKE}`,
      '7: web.auth.basic_auth_users.d: its cost is 31; write one of 4 to 15',
    ],
  },
  {
    name: 'a name with a colon',
    yaml: `web: { auth: { basic_auth_users: { "a:b": "$2b$10$${'a'.repeat(53)}" } } }\n`,
    errors: ['1: web.auth.basic_auth_users."a:b": a name can not hold a colon'],
  },
  {
    name: 'tokens',
    yaml: 'web:\n  auth:\n    bearer_tokens:\n      - { name: a, token_sha256: secret }\n      - { token_file: b, role: admin }\n',
    errors: [
      '4: web.auth.bearer_tokens[0].token_sha256: expected 64 hexadecimal digits; make them with: printf %s "$TOKEN" | sha256sum',
      '5: web.auth.bearer_tokens[1].name: missing; write a name',
      '5: web.auth.bearer_tokens[1].role: "admin" is not one of read, reload',
    ],
  },
  {
    name: 'a token that is nowhere',
    yaml: 'web: { auth: { bearer_tokens: [ { name: a } ] } }\n',
    errors: ['1: web.auth: bearer_tokens: "a" needs token_file or token_sha256; give one of them'],
  },
  {
    name: 'a login that nobody has',
    yaml: 'web: { auth: { open_probes: true } }\n',
    errors: [' web.auth names nobody; add users or tokens, or remove it'],
  },
  {
    name: 'the role of a stranger',
    yaml: `web: { auth: { basic_auth_users: { a: "$2b$10$${'a'.repeat(53)}" }, roles: { b: read } } }\n`,
    errors: [' web.auth.roles: "b" is no user; remove it'],
  },
  {
    name: 'TLS',
    yaml: 'web:\n  tls:\n    key_file: a\n    min_version: TLS10\n    max_version: 1.3\n    client_auth_type: yes\n    cipher_suites: [RC4]\n    ciphers: a\n',
    errors: [
      "2: web.tls.cert_file: expected a file's path such as server.crt, found nothing",
      '4: web.tls.min_version: TLS10 is not safe, so it is not offered; write TLS12 or TLS13',
      '5: web.tls.max_version: expected TLS12 or TLS13, found the number 1.3',
      '6: web.tls.client_auth_type: "yes" is not one of NoClientCert, RequestClientCert, RequireAnyClientCert, VerifyClientCertIfGiven, RequireAndVerifyClientCert',
      '7: web.tls.cipher_suites[0]: the text "RC4" is not one of TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256, TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384, TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256',
      '8: web.tls.ciphers: unknown key; known here: cert_file, key_file, client_auth_type, client_ca_file, client_allowed_sans, min_version, max_version, cipher_suites, curve_preferences, prefer_server_cipher_suites',
    ],
  },
  {
    name: 'authorities for nothing',
    yaml: 'web: { tls: { cert_file: a, key_file: b, client_ca_file: c } }\n',
    errors: [
      '1: web.tls: client_ca_file is for client_auth_type: VerifyClientCertIfGiven or RequireAndVerifyClientCert; add that, or leave the file out',
    ],
  },
  {
    name: 'a verification without authorities',
    yaml: 'web: { tls: { cert_file: a, key_file: b, client_auth_type: RequireAndVerifyClientCert } }\n',
    errors: ['1: web.tls: client_auth_type: RequireAndVerifyClientCert needs client_ca_file'],
  },
  {
    name: 'hosts with a scheme, and headers',
    yaml: 'web:\n  allowed_hosts: ["https://a"]\n  headers: { Server: a }\n',
    errors: [
      '2: web.allowed_hosts[0]: "https://a" is not a host name; write sidelight.example.com, without scheme and port',
      '3: web.headers: "Server" can not be set; known here: Content-Security-Policy, X-Frame-Options, X-Content-Type-Options, X-XSS-Protection, Strict-Transport-Security',
    ],
  },
];
