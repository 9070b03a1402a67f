/** Pieces of an Envoy's configuration, in the JSON form of its API (Envoy docs: v3 API reference). */

const HTTP = 'type.googleapis.com/envoy.extensions.filters.http';
const NETWORK = 'type.googleapis.com/envoy.extensions.filters.network';

export type Json = Readonly<Record<string, unknown>>;

export function endpoint(port: number): Json {
  return { endpoint: { address: { socket_address: { address: '127.0.0.1', port_value: port } } } };
}

/** A cluster of hosts on loopback; `more` is laid over it. */
export function cluster(name: string, ports: readonly number[], more: Json = {}): Json {
  const endpoints = [{ lb_endpoints: ports.map(endpoint) }];
  return { name, connect_timeout: '1s', load_assignment: { cluster_name: name, endpoints }, ...more };
}

/** What makes a cluster speak HTTP/2. */
export const OVER_HTTP2: Json = {
  typed_extension_protocol_options: {
    'envoy.extensions.upstreams.http.v3.HttpProtocolOptions': {
      '@type': 'type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions',
      explicit_http_config: { http2_protocol_options: {} },
    },
  },
};

/** An HTTP filter by its name and the name of its message. */
export function httpFilter(name: string, message: string, config: Json = {}): Json {
  return { name, typed_config: { '@type': `${HTTP}.${name}.v3.${message}`, ...config } };
}

export const ROUTER: Json = httpFilter('router', 'Router');
/** Counts gRPC calls by their status, of all services and methods. */
export const GRPC_STATS: Json = httpFilter('grpc_stats', 'FilterConfig', { stats_for_all_methods: true });

export interface ListenerOptions {
  readonly name: string;
  readonly statPrefix: string;
  readonly virtualHosts: readonly Json[];
  readonly filters?: readonly Json[];
  /** Default: any free one. */
  readonly port?: number;
  /** Laid over the connection manager. */
  readonly manager?: Json;
}

/** A listener for HTTP/1 and HTTP/2 on loopback. */
export function listener({
  name,
  statPrefix,
  virtualHosts,
  filters = [],
  port = 0,
  manager = {},
}: ListenerOptions): Json {
  const connectionManager = {
    '@type': `${NETWORK}.http_connection_manager.v3.HttpConnectionManager`,
    stat_prefix: statPrefix,
    route_config: { name: 'routes', virtual_hosts: virtualHosts, validate_clusters: false },
    http_filters: [...filters, ROUTER],
    ...manager,
  };
  return {
    name,
    address: { socket_address: { address: '127.0.0.1', port_value: port } },
    filter_chains: [{ filters: [{ name: 'http', typed_config: connectionManager }] }],
  };
}
