/** Where a configuration comes from; both are the caller's, because nothing here touches the machine. */
export interface ConfigurationSource {
  /** Variables that are absent or empty are not set. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The text of a file that a variable names. May throw; the reason is shown by its `code`. */
  readonly readFile: (path: string) => string;
  /** The name a service gives itself towards Kafka; default `residency`. */
  readonly clientId?: string;
}
