/**
 * A rendering is reused for this many times its cost, so a client that asks without end gets at
 * most a fifth of the process.
 */
const REST = 4;

/**
 * Renders on demand, but only for a bounded share of the time, because every client that reaches
 * the port may read metrics.
 */
export function spareRender<T>(
  render: () => Promise<T>,
  now: () => number = () => performance.now(),
): () => Promise<T> {
  let last: Promise<T> | undefined;
  let freshUntil = -Infinity;
  return async () => {
    if (last !== undefined && now() < freshUntil) return await last;
    const began = now();
    freshUntil = Infinity;
    last = render();
    try {
      return await last;
    } finally {
      freshUntil = now() + (now() - began) * REST;
    }
  };
}
