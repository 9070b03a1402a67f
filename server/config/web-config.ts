/** Who may reach the product's own port, and how. */

/** `read`: everything that is asked for with GET; `reload`: `POST /-/reload` too. */
export type WebRole = 'read' | 'reload';

export interface WebUser {
  readonly name: string;
  /** By bcrypt. */
  readonly hash: string;
  readonly role: WebRole;
}

/** A bearer token: hashed in the configuration, or in a file. */
export interface WebToken {
  readonly name: string;
  /** SHA-256 of the token in hexadecimal. */
  readonly sha256?: string;
  readonly tokenFile?: string;
  readonly role: WebRole;
}

export interface WebAuthConfig {
  readonly users: readonly WebUser[];
  readonly tokens: readonly WebToken[];
  /** Whether /-/healthy and /-/ready answer without authentication. */
  readonly openProbes: boolean;
}

/** Names as in Go's crypto/tls, by which Prometheus knows them. */
export type ClientAuthType =
  | 'NoClientCert'
  | 'RequestClientCert'
  | 'RequireAnyClientCert'
  | 'VerifyClientCertIfGiven'
  | 'RequireAndVerifyClientCert';

export type TlsVersion = 'TLSv1.2' | 'TLSv1.3';

/** TLS of a server; its files are read again when they change. */
export interface WebTlsConfig {
  readonly certFile: string;
  readonly keyFile: string;
  readonly clientAuthType: ClientAuthType;
  readonly clientCaFile?: string;
  /** If there are any: a client's certificate must be for one of these names. */
  readonly clientAllowedSans: readonly string[];
  readonly minVersion: TlsVersion;
  readonly maxVersion: TlsVersion;
  /** As OpenSSL names them; empty: Node's. */
  readonly cipherSuites: readonly string[];
  /** As OpenSSL names them; empty: Node's. */
  readonly curves: readonly string[];
  readonly preferServerCiphers: boolean;
}

export interface WebLimits {
  /** Most connections at once. */
  readonly connections: number;
  /** Most answers of the API and /metrics that one client address may wait for at once. */
  readonly requestsPerClient: number;
  /** Most event streams of one client address. */
  readonly streamsPerClient: number;
}
