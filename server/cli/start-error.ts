import type { Config } from '../config/config.ts';
import { type NamedFiles, placedMessage } from '../config/named-files.ts';
import { NamedFileError } from '../model/named-file-error.ts';
import { codeOf, plainLine } from './plain-error.ts';

/** Why the collector did not start, in one line that says what to do. */
export function startErrorLine(error: unknown, web: Pick<Config['web'], 'host' | 'port'>, files?: NamedFiles): string {
  const remedy = isListening(error) ? listenRemedy(codeOf(error), web.port) : undefined;
  if (remedy === undefined) return error instanceof NamedFileError ? placedMessage(error, files) : plainLine(error);
  const host = web.host.includes(':') ? `[${web.host}]` : web.host;
  return `cannot listen on ${host}:${web.port}: ${remedy}`;
}

function isListening(error: unknown): boolean {
  return (
    error instanceof Error && 'syscall' in error && ['listen', 'getaddrinfo', 'bind'].includes(String(error.syscall))
  );
}

function listenRemedy(code: string, port: number): string | undefined {
  switch (code) {
    case 'EADDRINUSE':
      return 'another program listens there; stop it, or choose another address with --web.listen-address';
    case 'EADDRNOTAVAIL':
      return 'this machine does not have that address; write one that it has, or 127.0.0.1';
    case 'EACCES':
      return `not allowed for this user; choose a port above ${Math.max(port, 1023)}`;
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return 'the host name is not known; write an IP address';
    default:
      return undefined;
  }
}
