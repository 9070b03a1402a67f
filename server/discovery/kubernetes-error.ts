/** What goes wrong between us and the API server, in words for the user. */

import { textAt } from './kubernetes-pod.ts';

/** What was asked for, as RBAC names it. */
export interface Asked {
  readonly verb: 'list' | 'watch';
  readonly resource: 'pods' | 'nodes';
  /** Empty: all namespaces, or none for nodes. */
  readonly namespace: string;
}

/** A request that the API server refused (status), or that did not reach it (status 0). The message is for the user. */
export class ApiError extends Error {
  override name = 'ApiError';
  readonly status: number;
  /** How long the API server asks to be left alone; 0 where it does not say. */
  readonly retryAfterMs: number;

  constructor(message: string, status = 0, retryAfterMs = 0) {
    super(message);
    this.status = status;
    this.retryAfterMs = retryAfterMs;
  }
}

/** The API server could not be reached, or was lost midway. */
export class UnreachableError extends ApiError {
  override name = 'UnreachableError';
}

const MAX_RETRY_AFTER_MS = 60_000;
const MAX_SAID = 200;

const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens there: is the address right, and is the API server running?',
  ENOTFOUND: 'its name is not known to DNS',
  EAI_AGAIN: 'DNS did not answer',
  EHOSTUNREACH: 'there is no route to it',
  ENETUNREACH: 'there is no route to it',
  ECONNRESET: 'it closed the connection before it had answered',
  EPIPE: 'it closed the connection before it had answered',
  DEPTH_ZERO_SELF_SIGNED_CERT: "its certificate is not from the kubeconfig's certificate authority",
  SELF_SIGNED_CERT_IN_CHAIN: "its certificate is not from the kubeconfig's certificate authority",
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: "its certificate is not from the kubeconfig's certificate authority",
  CERT_HAS_EXPIRED: 'its certificate has expired',
  ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate is for another name',
};

/** An error of the connection to `server`. */
export function connectionError(error: unknown, server: string): ApiError {
  if (error instanceof ApiError) return error;
  const { code = '', message = String(error) } = (error ?? {}) as { code?: string; message?: string };
  const reason = REASONS[code] ?? (/^HPE_/.test(code) ? 'it does not speak HTTP' : message.split('\n')[0]);
  return new UnreachableError(`the API server ${server} can't be asked: ${reason}`);
}

/** The error of a status, be it the answer's or that of an ERROR event; `status` is the Kubernetes Status, if it is one. */
export function statusError(code: number, status: unknown, asked: Asked, retryAfter = ''): ApiError {
  const seconds = Number(retryAfter);
  const retryAfterMs = seconds > 0 ? Math.min(seconds * 1000, MAX_RETRY_AFTER_MS) : 0;
  return new ApiError(wordsFor(code, textAt(status, 'message'), asked), code, retryAfterMs);
}

function wordsFor(code: number, message: string, asked: Asked): string {
  if (code === 403) return deniedWords(message, asked);
  if (code === 401) {
    return 'the API server does not know us (401): the token or certificate has expired or is not of this cluster; renew it in the kubeconfig, or recreate the service account';
  }
  const said = message.replaceAll(/[\p{Cc}\s]+/gu, ' ').slice(0, MAX_SAID);
  const what = `${asked.verb} of ${whereOf(asked)}`;
  if (code === 429) return `the API server is overloaded (429): ${what} is tried again later`;
  if (code === 400) return `the API server can't read the question (400): is selector a label selector? ${said}`;
  return `the API server answered ${what} with status ${code}${said ? `: ${said}` : ''}`;
}

/** Missing verb, resource and namespace, for whom, and what grants them. */
function deniedWords(message: string, asked: Asked): string {
  const user = /^\w+(?:\.\w+)* is forbidden: User "([^"]{1,200})"/.exec(message)?.[1] ?? 'the account';
  const remedy =
    asked.namespace === '' && asked.resource === 'pods'
      ? 'bind the ClusterRole of deploy/kubernetes to it, or name the namespaces it may see in discovery.kubernetes[].namespaces'
      : 'bind a Role with the verbs list and watch on pods to it there';
  return `${user} is denied (403): it needs the verb ${asked.verb} on ${whereOf(asked)}; ${remedy}`;
}

function whereOf({ resource, namespace }: Asked): string {
  if (resource === 'nodes') return 'nodes';
  return namespace === '' ? 'pods in all namespaces' : `pods in namespace ${namespace}`;
}
