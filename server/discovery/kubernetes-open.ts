/** Who we are to the API server, and where it is: the pod's own service account, or a kubeconfig. */

import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import { kubeconfigAccess } from './kubeconfig.ts';
import { type ApiAccess, authorizing, keptAccess } from './kubernetes-access.ts';

/** Where a pod finds its service account. */
const ACCOUNT_FOLDER = '/var/run/secrets/kubernetes.io/serviceaccount';

export interface AccessOptions {
  /** Path of a kubeconfig. Without one: the pod's service account, else those of $KUBECONFIG, else ~/.kube/config. */
  readonly kubeconfig: string | undefined;
  readonly now: () => number;
  /** Whether pods are asked through the API server, by connections of their own. */
  readonly asksPods?: boolean;
  readonly environment?: Readonly<Record<string, string | undefined>>;
  readonly accountFolder?: string;
}

/** @throws Error that says in plain words what is missing. */
export async function openAccess(options: AccessOptions): Promise<ApiAccess> {
  const { kubeconfig, environment = process.env, accountFolder = ACCOUNT_FOLDER, now, asksPods = false } = options;
  if (kubeconfig !== undefined) return kubeconfigAccess({ files: [kubeconfig], now, asksPods });
  const host = environment.KUBERNETES_SERVICE_HOST;
  if (host && existsSync(join(accountFolder, 'token'))) {
    const authority = `${host.includes(':') ? `[${host}]` : host}:${environment.KUBERNETES_SERVICE_PORT || 443}`;
    const auth = { bearerTokenFile: join(accountFolder, 'token') };
    const headers = authorizing(auth, now);
    return keptAccess({ server: `https://${authority}`, tls: { caFile: join(accountFolder, 'ca.crt') }, headers });
  }
  const listed = (environment.KUBECONFIG ?? '').split(delimiter).filter((file) => file !== '');
  const looked = listed.length > 0 ? listed : [join(homedir(), '.kube', 'config')];
  const files = looked.filter((file) => existsSync(file));
  if (files.length > 0) return kubeconfigAccess({ files, now, asksPods });
  throw new Error(
    `there is neither a service account (${accountFolder}) nor a kubeconfig (${looked.join(', ')}): set discovery.kubernetes[].kubeconfig`,
  );
}
