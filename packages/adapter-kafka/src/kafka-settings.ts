/**
 * The cluster's addresses and how to connect. A service uses the topics of `TOPICS`, each with the
 * prefix.
 */
export interface KafkaSettings {
  /** `host:port`, at least one. The other brokers are discovered through it. */
  readonly brokers: readonly string[];
  readonly clientId: string;
  /**
   * The time after which a connection is given up if a response is missing, milliseconds. Default
   * 30 s.
   */
  readonly requestTimeoutMs?: number;
  /** The first part of positions. It names this cluster and prefix and no other, for ever. */
  readonly log: string;
  /** The id that the cluster must have. If it differs: `LOG_MISMATCH`. */
  readonly clusterId?: string;
  /** The prefix of every topic's and group's name; may be empty. */
  readonly topicPrefix: string;
  /** PEM texts. Present, even empty: TLS is on. */
  readonly tls?: { readonly ca?: string; readonly cert?: string; readonly key?: string };
  readonly sasl?: {
    readonly mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512';
    readonly username: string;
    readonly password: string;
  };
}
