import { request } from 'node:http';
import type { IncomingMessage } from 'node:http';

const PIECE_BYTES = 64 * 1024;
const EVERY_MS = 1_000;

export interface SlowReader {
  /** The answer's status. */
  readonly status: Promise<number>;
  readonly close: () => void;
}

/** Reads an answer at 64 KiB a second, as a client on a slow line does. */
export function readSlowly(url: string, token: string): SlowReader {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  let timer: NodeJS.Timeout | undefined;
  const sent = request(
    url,
    { agent: false, headers: { authorization: `Bearer ${token}` } },
    (answer: IncomingMessage) => {
      // Without a listener for its data it stays paused.
      timer = setInterval(() => answer.read(PIECE_BYTES), EVERY_MS);
      resolve(answer.statusCode ?? 0);
      // Its connection is cut at the end of the measurement.
      answer.on('error', () => undefined);
    },
  );
  sent.once('error', reject).end();
  return {
    status: promise,
    close: () => {
      clearInterval(timer);
      sent.destroy();
    },
  };
}
