/** All this package asks of a Redis client. Every method throws `RedisError`. */
export interface RedisClient {
  /** One command, so all values are of one moment; `null` where there is no text. */
  mget(keys: readonly string[]): Promise<(string | null)[]>;
  eval(script: string, keys: readonly string[], args: readonly string[]): Promise<unknown>;
  info(section: string): Promise<string>;
  /** The connection ends, and is not made anew. */
  close(): Promise<void>;
}
