/**
 * The inputs of a configuration. The caller reads them, because this package does not touch the
 * machine.
 */
export interface ConfigurationSource {
  /** Variables that are absent or empty are not set. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The text of a file that a variable names. May throw; only the `code` of the error is shown. */
  readonly readFile: (path: string) => string;
  /** The service's client id for Kafka; default `residency`. */
  readonly clientId?: string;
}
