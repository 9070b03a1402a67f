import { type IncomingMessage, request, type ServerResponse } from 'node:http';
import { answer } from './fake-api-server.ts';

/** A pod's port as the path of a request for the API server's pod proxy names it. */
export interface PodPort {
  readonly namespace: string;
  readonly name: string;
  readonly port: number;
  readonly path: string;
}

const POD_PROXY = /^\/api\/v1\/namespaces\/([^/]+)\/pods\/([^/:]+):(\d+)\/proxy(\/.*)$/;

/** Undefined where something else is asked for. */
export function podPortOf({ url = '' }: IncomingMessage): PodPort | undefined {
  const [, namespace, name, port, path] = POD_PROXY.exec(url) ?? [];
  if (namespace === undefined || name === undefined || path === undefined) return undefined;
  return { namespace, name, port: Number(port), path };
}

/** Asks the pod at `ip` as an API server does, whose words it has where that fails. */
export function proxyToPod(incoming: IncomingMessage, response: ServerResponse, { port, path, ip }: ProxiedPod): void {
  const { authorization: _, host: __, ...headers } = incoming.headers;
  const failed = (reason: string) =>
    answer(response, 503, {
      kind: 'Status',
      message: `error trying to reach service: dial tcp ${ip}:${port}: connect: ${reason}`,
    });
  const asked = request({ host: ip, port, path, headers, method: incoming.method }, (answered) => {
    response.writeHead(answered.statusCode ?? 502, answered.headers);
    answered.pipe(response);
  });
  asked.on('error', (error: NodeJS.ErrnoException) =>
    failed(error.code === 'ECONNREFUSED' ? 'connection refused' : error.message),
  );
  asked.end();
}

type ProxiedPod = Pick<PodPort, 'port' | 'path'> & { readonly ip: string };
