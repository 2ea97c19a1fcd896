export interface BatchLimits {
  readonly count: number;
  readonly bytes: number;
}

/** Groups items in order, each group within the limits unless a single item is larger. */
export async function* batchesOf<T>(
  items: AsyncIterable<T>,
  bytesOf: (item: T) => number,
  limits: BatchLimits,
): AsyncGenerator<T[]> {
  let batch: T[] = [];
  let bytes = 0;
  for await (const item of items) {
    const size = bytesOf(item);
    if (batch.length > 0 && (batch.length === limits.count || bytes + size > limits.bytes)) {
      yield batch;
      batch = [];
      bytes = 0;
    }
    batch.push(item);
    bytes += size;
  }
  if (batch.length > 0) yield batch;
}
