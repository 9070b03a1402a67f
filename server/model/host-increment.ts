/** What one host of a caller's cluster answered between two readings of `/clusters`. */
export interface HostIncrement {
  /** Of the caller's Envoy, as in stats. */
  readonly cluster: string;
  /** The called service, as the flow of the cluster, or of the host where that is told apart, names it. */
  readonly peer: string;
  readonly peerNamespace: string;
  /** `address:port`. */
  readonly address: string;
  readonly region: string;
  readonly zone: string;
  /** Tries that came to an end: with retries more than the cluster's requests. */
  readonly requests: number;
  /** Those that failed: 5xx, gRPC statuses that stand for a 5xx, resets, timeouts, failed connections. */
  readonly failures: number;
}

/** Increments of hosts, and the time that they are over, `[from, to)` in Unix milliseconds. */
export interface HostObservation {
  readonly from: number;
  readonly to: number;
  readonly hosts: readonly HostIncrement[];
}
