import type { MeshServices } from '../../../server/demo/mesh.ts';
import { type App, startApplications } from '../applications.ts';
import type { Route } from '../caller.ts';

const names = ['shop', 'catalog', 'stock'];

/** All calls of an application go to its sidecar's one listener, which picks the service by the Host header. */
const through = (port: number): Readonly<Record<string, Route>> =>
  Object.fromEntries(names.map((host) => [host, { protocol: 'http', port, host }]));

/** Each port is an endpoint in eds/: callers reach the application past its own sidecar. */
export const apps: readonly App[] = [
  { instance: 'shop-eu', protocol: 'http', port: 18212, routes: through(18210) },
  { instance: 'catalog-eu', protocol: 'http', port: 18222, routes: through(18220) },
  { instance: 'stock-eu', protocol: 'http', port: 18232, routes: through(18230) },
  { instance: 'shop-us', protocol: 'http', port: 18252, routes: through(18250) },
  { instance: 'catalog-us', protocol: 'http', port: 18262, routes: through(18260), slowerByMs: 25 },
  { instance: 'stock-us', protocol: 'http', port: 18272, routes: through(18270) },
];

export const startServices: MeshServices['startServices'] = ({ portOffset }) => startApplications(apps, portOffset);
