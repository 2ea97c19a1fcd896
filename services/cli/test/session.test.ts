import { expect, it } from 'vitest';
import { interruptionOf } from '../src/terminal/session.ts';

it.each(['before', 'after'])(
  "what ends with its signal's reason ends as interrupted, where the session is ended %s it began",
  (when) => {
    const stop = new AbortController();
    if (when === 'before') stop.abort();
    const signal = interruptionOf({ signal: stop.signal });
    expect(signal.aborted).toBe(when === 'before');
    stop.abort();
    expect(() => {
      signal.throwIfAborted();
    }).toThrow(expect.objectContaining({ code: 'INTERRUPTED' }));
  },
);
