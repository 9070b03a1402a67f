/** TLS towards a server. Files are read anew for every connection, so that rotated ones count. */
export interface TlsSettings {
  readonly caFile?: string;
  readonly certFile?: string;
  readonly keyFile?: string;
  /** PEM text, in place of the files. */
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  /** Name that the server's certificate must have; by default the host of the address. */
  readonly serverName?: string;
  readonly insecureSkipVerify?: boolean;
}

/** What is sent to be let in: a bearer token, or a name with a password. Files are read anew when they change. */
export interface AuthSettings {
  readonly bearerToken?: string;
  readonly bearerTokenFile?: string;
  readonly username?: string;
  readonly password?: string;
  readonly passwordFile?: string;
}

/** How an admin endpoint is reached, where that is not plain HTTP to its address. */
export interface Reach {
  /** Equal keys are equal reaches; a target whose reach has another key is connected to anew. Holds no secret. */
  readonly key: string;
  readonly tls?: TlsSettings;
  readonly auth?: AuthSettings;
  /**
   * Base address that is asked in place of the target's own, such as a pod's proxy of an API server:
   * `https://host:6443/api/v1/namespaces/a/pods/b:9901/proxy`; `/stats` follows it.
   */
  readonly via?: string;
  /** More headers, asked for before every request: tokens that rotate. */
  readonly headers?: () => Promise<Readonly<Record<string, string>>>;
  readonly allowLinkLocal?: boolean;
}
