/**
 * Resolves with the value of `promise`, or with `undefined` after `ms` milliseconds. Rejects if
 * `promise` does within that time; what it does later is ignored. An answer that arrived in time
 * counts, however busy this process was meanwhile. The timer keeps no process alive.
 */
export function atMost<T>(ms: number, promise: Promise<T>): Promise<T | undefined> {
  return new Promise((resolve, reject) => {
    let turn: NodeJS.Immediate | undefined;
    const timer = setTimeout(() => {
      // Timers come before sockets in a turn of the event loop: what has arrived is read first.
      turn = setImmediate(resolve, undefined);
    }, ms).unref();
    // An abort of a signal would cost more than what most callers wait for.
    const ended = (): void => {
      clearTimeout(timer);
      clearImmediate(turn);
    };
    promise.finally(ended).then(resolve, reject);
  });
}
