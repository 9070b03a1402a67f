import type { MeshServices } from '../../../server/demo/mesh.ts';
import { type App, startApplications } from '../applications.ts';

/** The egress listener of web.yaml, which goes to whatever host a call names: here the ingress listeners. */
const port = 18403;
const routes = {
  emoji: { protocol: 'grpc', port, host: 'emoji.localhost', hostPort: 18410 },
  voting: { protocol: 'grpc', port, host: 'voting.localhost', hostPort: 18420 },
} as const;

const unknown = 2;

/** `vote-bot` only sends: traffic.ts does that in its place. */
export const apps: readonly App[] = [
  { instance: 'web', protocol: 'http', port: 18402, routes },
  { instance: 'emoji', protocol: 'grpc', port: 18412 },
  { instance: 'voting', protocol: 'grpc', port: 18422, failingMethods: { VoteDoughnut: unknown } },
  { instance: 'vote-bot', protocol: 'http', port: 18432 },
];

export const startServices: MeshServices['startServices'] = ({ portOffset }) => startApplications(apps, portOffset);
