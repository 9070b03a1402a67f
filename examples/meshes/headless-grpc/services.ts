import type { MeshServices } from '../../../server/demo/mesh.ts';
import { type App, startApplications } from '../applications.ts';

/** The egress listener of quotes.yaml, which picks the service by `:authority`. */
const routes = { pricing: { protocol: 'grpc', port: 18313, host: 'pricing' } } as const;

export const apps: readonly App[] = [
  { instance: 'quotes', protocol: 'grpc', port: 18312, routes },
  { instance: 'pricing-1', protocol: 'grpc', port: 18322 },
  { instance: 'pricing-2', protocol: 'grpc', port: 18332, slowerByMs: 60 },
  { instance: 'pricing-3', protocol: 'grpc', port: 18342 },
];

export const startServices: MeshServices['startServices'] = ({ portOffset }) => startApplications(apps, portOffset);
