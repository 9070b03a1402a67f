/**
 * A process of its own with the admin ports of many sidecars, one listener each, which answer the scraper's requests
 * with bodies in Envoy's form that were rendered beforehand: what is scraped costs less than the scraping.
 *
 * `fork(…, [SIDECARS, SERVICES])` sends one message: the ports.
 */

import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { FORMS, type Moment } from '../envoy/five-forms.ts';
import { sidecarMoments } from './sidecar.ts';

/** So many answers of one sidecar differ; then its counters begin anew, as those of an Envoy that restarted. */
const MOMENTS = 60;
/** Stands in the clusters' names for the service whose sidecar it is. */
const SERVICE = '0000';
/** What the narrow request leaves out. */
const COPY = /\.(?:internal|external)\./;

const [sidecars = 0, services = 1] = process.argv.slice(2).map(Number);

function answer(contentType: string, body: string): Buffer {
  const head = [
    'HTTP/1.1 200 OK',
    `content-type: ${contentType}`,
    'cache-control: no-cache, max-age=0',
    'x-content-type-options: nosniff',
    'date: Tue, 01 Jan 2030 00:00:00 GMT',
    'server: envoy',
    'transfer-encoding: chunked',
  ];
  return Buffer.from(
    `${head.join('\r\n')}\r\n\r\n${Buffer.byteLength(body).toString(16)}\r\n${body}\r\n0\r\n\r\n`,
    'latin1',
  );
}

/** Names in a moment that are asked for, with the service's place in the clusters' names. */
function named(moment: Moment): Moment {
  const rename = <T>(stats: Readonly<Record<string, T>>) =>
    Object.fromEntries(
      Object.entries(stats)
        .filter(([name]) => !COPY.test(name))
        .map(([name, value]) => [name.replace(/^cluster\.(?!local_app\.)/, `cluster.s${SERVICE}-`), value]),
    );
  return {
    scalars: rename(moment.scalars),
    histograms: rename(moment.histograms ?? {}),
    intervals: rename(moment.intervals ?? {}),
  };
}

/** An answer with the places in which the service's number stands. */
interface Template {
  readonly bytes: Buffer;
  readonly places: readonly number[];
}

function template(bytes: Buffer): Template {
  const places: number[] = [];
  const searched = `cluster.s${SERVICE}-`;
  for (let at = bytes.indexOf(searched); at >= 0; at = bytes.indexOf(searched, at + 1))
    places.push(at + 'cluster.s'.length);
  return { bytes, places };
}

const stats = sidecarMoments(MOMENTS).map((moment) =>
  template(answer('text/plain; charset=UTF-8', FORMS.text.render(named(moment)).toString('latin1'))),
);
const managers = answer(
  'text/plain; charset=UTF-8',
  ['ingress_http', 'egress_http', 'ingress_https', 'admin']
    .map((name) => `http.${name}.downstream_rq_completed: 9\n`)
    .join(''),
);
const started = Date.now() - 3_600_000;

function serverInfo(sidecar: number): Buffer {
  const uptime = `${Math.floor((Date.now() - started) / 1000)}s`;
  const node = { id: `sidecar-${sidecar}`, cluster: 'checkout', locality: { region: 'eu', zone: 'eu-1' } };
  const version = 'c0ffee/1.40.0/Clean/RELEASE/BoringSSL';
  return answer('application/json', JSON.stringify({ version, uptime_current_epoch: uptime, node }));
}

/** The answer at a moment as this service's sidecars give it. */
function statsOf(service: number, moment: number): Buffer {
  const { bytes, places } = stats[moment % stats.length] ?? { bytes: Buffer.of(), places: [] };
  const copy = Buffer.from(bytes);
  const digits = Buffer.from(String(service).padStart(SERVICE.length, '0'));
  for (const place of places) copy.set(digits, place);
  return copy;
}

function serve(socket: Socket, sidecar: number, asked: { count: number }): void {
  socket.on('error', () => {});
  let request = '';
  socket.setNoDelay(true);
  socket.on('data', (bytes: Buffer) => {
    request += bytes.toString('latin1');
    if (!request.endsWith('\r\n\r\n')) return;
    const path = request.split(' ', 2)[1] ?? '';
    request = '';
    if (path.startsWith('/server_info')) socket.write(serverInfo(sidecar));
    else if (path.startsWith('/stats?filter=^http')) socket.write(managers);
    else socket.write(statsOf(sidecar % services, asked.count++));
  });
}

const ports: number[] = [];
for (let sidecar = 0; sidecar < sidecars; sidecar++) {
  const asked = { count: sidecar % (MOMENTS / 2) };
  const server = createServer((socket) => serve(socket, sidecar, asked)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  ports.push((server.address() as AddressInfo).port);
}
process.on('disconnect', () => process.exit());
process.send?.({ ports });
