/** The operations of a Redis client that this package needs. Every method throws `RedisError`. */
export interface RedisClient {
  /** One command, so all values are from one moment; `null`: there is no text. */
  mget(keys: readonly string[]): Promise<(string | null)[]>;
  eval(script: string, keys: readonly string[], args: readonly string[]): Promise<unknown>;
  info(section: string): Promise<string>;
  /** Closes the connection for good. */
  close(): Promise<void>;
}
