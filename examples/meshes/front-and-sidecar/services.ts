import type { MeshServices } from '../../../server/demo/mesh.ts';
import { type App, startApplications } from '../applications.ts';

/** `api` has no Envoy for what it sends: it calls the sidecar in front of `store` directly. */
const routes = { store: { protocol: 'http', port: 18130 } } as const;

export const apps: readonly App[] = [
  { instance: 'api-1', protocol: 'http', port: 18112, routes },
  { instance: 'api-2', protocol: 'http', port: 18122, routes },
  { instance: 'store', protocol: 'http', port: 18132 },
];

export const startServices: MeshServices['startServices'] = ({ portOffset }) => startApplications(apps, portOffset);
