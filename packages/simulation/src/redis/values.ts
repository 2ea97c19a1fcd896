/** Redis as its clients see it: texts under keys. */
export class SimRedis {
  values = new Map<string, string>();
}
