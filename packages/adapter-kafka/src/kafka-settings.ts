/** Where the cluster is and how to speak to it. Which topics a service uses of it is `TOPICS`, each behind the prefix. */
export interface KafkaSettings {
  /** `host:port`, at least one; the others are learned from it. */
  readonly brokers: readonly string[];
  readonly clientId: string;
  /** How long an answer may take before its connection is given up, milliseconds. Default 30 s. */
  readonly requestTimeoutMs?: number;
  /** The first part of positions. It names this cluster and prefix and no other, for ever. */
  readonly log: string;
  /** The id the cluster must have; `LOG_MISMATCH` otherwise. */
  readonly clusterId?: string;
  /** Before every topic's and group's name; may be empty. */
  readonly topicPrefix: string;
  /** PEM texts. Present, even empty: TLS is on. */
  readonly tls?: { readonly ca?: string; readonly cert?: string; readonly key?: string };
  readonly sasl?: {
    readonly mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512';
    readonly username: string;
    readonly password: string;
  };
}
