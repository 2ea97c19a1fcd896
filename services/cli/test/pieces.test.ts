import { CodedError } from '@residency/coded-error';
import { sha256, sha256OfParts } from '@residency/contracts';
import {
  assert,
  asyncProperty,
  array,
  constantFrom,
  integer,
  nat,
  property,
  string,
  uint8Array,
} from 'fast-check';
import { describe, expect, it } from 'vitest';
import { batchesOf } from '../src/publishing/batches-of.ts';
import { linesOf } from '../src/terminal/lines-of.ts';
import { exitCodeOf } from '../src/terminal/exit-code.ts';
import { inOrder } from '../src/publishing/in-order.ts';
import { printable } from '../src/terminal/output.ts';
import { eventId } from '../src/publishing/sample-event.ts';
import { bytesText, table } from '../src/terminal/table.ts';

async function* each<T>(items: readonly T[], error?: Error): AsyncGenerator<T> {
  yield* items;
  if (error !== undefined) throw error;
}

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  return await Array.fromAsync(items);
}

describe('batchesOf', () => {
  it('keeps every item in order, within both limits unless one item is larger', async () => {
    await assert(
      asyncProperty(
        array(nat(50)),
        integer({ min: 1, max: 5 }),
        nat(100),
        async (items, count, bytes) => {
          const batches = await all(batchesOf(each(items), (item) => item, { count, bytes }));
          expect(batches.flat()).toEqual(items);
          for (const batch of batches) {
            expect(batch.length).toBeGreaterThan(0);
            expect(batch.length).toBeLessThanOrEqual(count);
            expect(batch.length === 1 || batch.reduce((sum, item) => sum + item, 0) <= bytes).toBe(
              true,
            );
          }
        },
      ),
    );
  });
});

describe('inOrder', () => {
  it('yields in order however long each takes, with no more than so many at a time', async () => {
    let running = 0;
    let most = 0;
    const results = await all(
      inOrder(each([5, 1, 4, 0, 3]), 2, async (ticks) => {
        most = Math.max(most, (running += 1));
        for (let tick = 0; tick < ticks; tick += 1) await new Promise(setImmediate);
        running -= 1;
        return ticks;
      }),
    );
    expect([results, most]).toEqual([[5, 1, 4, 0, 3], 2]);
  });

  it('gives what was begun before the error the items ended with', async () => {
    const seen: number[] = [];
    await expect(
      (async () => {
        for await (const result of inOrder(each([1, 2], new Error('the end')), 4, (item) =>
          Promise.resolve(item),
        ))
          seen.push(result);
      })(),
    ).rejects.toThrow('the end');
    expect(seen).toEqual([1, 2]);
  });

  it.each([2, 5])('ends with the first failure in order, after the others (%i)', async (most) => {
    const seen: number[] = [];
    await expect(
      (async () => {
        for await (const result of inOrder(each([1, 2, 3]), most, (item) =>
          item === 2 ? Promise.reject(new Error('two')) : Promise.resolve(item),
        ))
          seen.push(result);
      })(),
    ).rejects.toThrow('two');
    expect(seen).toEqual([1, 3]);
  });

  it('leaves nothing running, also if its consumer ends it early', async () => {
    let running = 0;
    for await (const _ of inOrder(each([0, 9, 9, 9]), 3, async (ticks) => {
      running += 1;
      for (let tick = 0; tick < ticks; tick += 1) await new Promise(setImmediate);
      running -= 1;
    }))
      break;
    expect(running).toBe(0);
  });
});

describe('linesOf', () => {
  it('gives the same lines, and refuses the same one, wherever the pieces end', async () => {
    const limit = { mostChars: 4, tooLong: () => new Error('too long') };
    await assert(
      asyncProperty(
        array(string({ unit: constantFrom('a', '\n'), maxLength: 9 })),
        async (pieces) => {
          const lines = pieces.join('').split('\n');
          if (lines.at(-1) === '') lines.pop();
          const long = lines.findIndex((line) => line.length > 4);
          const seen: string[] = [];
          const reading = (async () => {
            for await (const line of linesOf(each(pieces), limit)) seen.push(line);
          })();
          if (long === -1) await reading;
          else await expect(reading).rejects.toThrow('too long');
          expect(seen).toEqual(long === -1 ? lines : lines.slice(0, long));
        },
      ),
    );
  });
});

describe('eventId', () => {
  it("is the contract's digest of parts for every path that is text", () => {
    assert(
      property(string({ unit: 'grapheme' }), uint8Array(), (path, sample) => {
        expect(eventId(Buffer.from(path), Buffer.from(sample))).toBe(
          sha256OfParts(Buffer.from(path).toString(), sha256(sample)),
        );
      }),
    );
  });

  it('tells names apart that are not text', () => {
    const sample = Buffer.from('same');
    expect(eventId(Buffer.from([0x2f, 0xfe]), sample)).not.toBe(
      eventId(Buffer.from([0x2f, 0xff]), sample),
    );
  });
});

describe('exit codes', () => {
  const coded = (code: string, remedy: 'retry' | 'park' | 'stop' = 'stop'): CodedError =>
    new CodedError({ code, remedy, message: 'Expected a test.' });
  it.each([
    [coded('NOT_A_DATA_DIRECTORY'), 2],
    [coded('INVALID_POLICY'), 2],
    [coded('INVALID_POSITION', 'park'), 2],
    [coded('KEY_UNKNOWN'), 2],
    [coded('TOKENS_REQUIRED'), 2],
    [coded('CONFIGURATION_INVALID'), 2],
    [coded('CONFIGURATION_INCOMPLETE'), 2],
    [coded('LOG_MISMATCH'), 2],
    [coded('KAFKA_AUTHENTICATION'), 2],
    [coded('REDIS_AUTHENTICATION', 'retry'), 2],
    [coded('TOPIC_MISSING'), 3],
    [coded('KAFKA_UNREACHABLE', 'retry'), 3],
    [coded('TOPIC_SETTINGS'), 1],
    [coded('SITE_NOT_EMPTY'), 1],
    [coded('ROUTING_LOCKED'), 3],
    [coded('PORT_IN_USE'), 3],
    [coded('LOG_UNAVAILABLE'), 3],
    [coded('SITE_MARKER_MISSING'), 3],
    [coded('LOG_BUSY', 'retry'), 3],
    [coded('SITE_UNREACHABLE', 'retry'), 3],
    [coded('SITE_MARKER_MISMATCH'), 1],
    [coded('LOG_CORRUPT'), 1],
    [coded('INTERRUPTED'), 130],
    [new TypeError('a defect'), 1],
  ])('%o is %i', (error, code) => {
    expect(exitCodeOf(error)).toBe(code);
  });
});

describe('text', () => {
  it('lets no control character of a name reach a terminal', () => {
    assert(
      property(string({ unit: 'binary' }), (text) => {
        expect(printable(text)).not.toMatch(/\p{Cc}/u);
      }),
    );
    expect(printable('a\u001B[2Jb\n')).toBe('a?[2Jb?');
  });

  it('aligns columns, numbers to the right', () => {
    expect(
      table(
        ['name', 'bytes'],
        [
          ['a', 5],
          ['long name', 12_345],
        ],
      ),
    ).toEqual(['name        bytes', 'a               5', 'long name  12,345']);
  });

  it.each([
    [0, '0 B'],
    [1, '1 B'],
    [1023, '1,023 B'],
    [1024, '1 KiB'],
    [16 * 1024 * 1024, '16 MiB'],
  ])('%i bytes are %s', (bytes, text) => {
    expect(bytesText(bytes)).toBe(text);
  });
});
