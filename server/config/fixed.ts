import type { Config } from './config.ts';
import type { KeyPath, Problem } from './problem.ts';

/** What can't change while the collector runs. */
const FIXED: readonly { readonly path: KeyPath; read(config: Config): string }[] = [
  { path: ['web', 'listen'], read: ({ web }) => `${web.host.includes(':') ? `[${web.host}]` : web.host}:${web.port}` },
  { path: ['web', 'tls'], read: ({ web }) => (web.tls === undefined ? 'plain HTTP' : 'TLS') },
  { path: ['web', 'tls', 'client_auth_type'], read: ({ web }) => web.tls?.clientAuthType ?? 'NoClientCert' },
  { path: ['storage', 'path'], read: ({ storage }) => storage.path },
  { path: ['log', 'format'], read: ({ log }) => log.format },
];

/** Changes that only a restart can bring. */
export function fixedProblems(config: Config, running: Config): Problem[] {
  return FIXED.flatMap(({ path, read }) => {
    const [wanted, current] = [read(config), read(running)];
    if (wanted === current) return [];
    return [
      {
        path,
        message: `cannot change from ${current} to ${wanted} while Sidelight runs; restart it, or take the change back`,
      },
    ];
  });
}
