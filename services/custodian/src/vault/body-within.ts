import { Readable } from 'node:stream';
import { Problem } from '@residency/http-server';

/** What was handed on cannot be called back: one piece, also if the process is frozen then. */
const PIECE_BYTES = 64 * 1024;

/**
 * The bytes, as long as `isAlive` returns true before each piece. It is asked then, and not by a
 * timer: a process that was frozen and wakes writes first, and looks at its timers later. Fails with
 * `ACCESS_EXPIRED`.
 */
export function bodyWithin(bytes: Buffer, isAlive: () => boolean): Readable {
  let sent = 0;
  return new Readable({
    // No piece is taken before the one before it has gone.
    highWaterMark: 0,
    read() {
      if (sent === bytes.length) {
        this.push(null);
        return;
      }
      if (!isAlive()) {
        this.destroy(expired());
        return;
      }
      const piece = bytes.subarray(sent, sent + PIECE_BYTES);
      sent += piece.length;
      this.push(piece);
    },
  });
}

function expired(): Problem {
  return new Problem({
    kind: 'gone',
    code: 'ACCESS_EXPIRED',
    detail:
      'Expected an access within its lifetime, found that it ended before the sample was sent. Ask anew, with another access id.',
  });
}
