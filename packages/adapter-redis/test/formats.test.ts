import type { ConsentInterval } from '@residency/consent';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { consentKeys } from '../src/consent-keys.ts';
import { decodeState, encodeState } from '../src/consent-state.ts';
import { decodePosition, encodePosition } from '../src/projected-position.ts';

const word = fc
  .string({ unit: 'binary', minLength: 1, maxLength: 12 })
  .filter((text) => text.isWellFormed());
const time = fc.nat({ max: 8_640_000_000_000_000 });
const interval: fc.Arbitrary<ConsentInterval> = fc
  .tuple(
    time,
    fc.option(time),
    fc.array(word, { minLength: 1, maxLength: 3 }),
    word,
    fc.option(fc.stringMatching(/^[0-9a-f]{64}$/)),
  )
  .map(([from, until, purposes, termsVersion, termsSha256]) => ({
    from,
    ...(until === null ? {} : { until }),
    purposes,
    termsVersion,
    ...(termsSha256 === null ? {} : { termsSha256 }),
  }));
const state = fc.record({ generation: word, history: fc.array(interval, { maxLength: 4 }) });
const position = fc.record({
  log: word,
  generation: word,
  next: fc.bigInt(0n, 2n ** 63n - 1n),
  watermark: time,
  halted: fc.boolean(),
});

describe('a consent state in Redis', () => {
  it('is read as it was written', () => {
    fc.assert(
      fc.property(state, (one) => {
        expect(decodeState(encodeState(one))).toEqual(one);
      }),
    );
  });

  it('keeps the form of version 1', () => {
    expect(
      encodeState({
        generation: 'g',
        history: [{ termsVersion: '1', purposes: ['p'], until: 2, from: 1 }],
      }),
    ).toBe(
      '{"v":1,"generation":"g","history":[{"from":1,"until":2,"purposes":["p"],"termsVersion":"1"}]}',
    );
  });

  it.each([
    '',
    'null',
    '[]',
    '7',
    '{',
    '{}',
    '{"v":2,"generation":"g","history":[]}',
    '{"v":1,"history":[]}',
    '{"v":1,"generation":"g"}',
    '{"v":1,"generation":"g","history":{}}',
    '{"v":1,"generation":"g","history":[null]}',
    '{"v":1,"generation":"g","history":[{"purposes":[],"termsVersion":"1"}]}',
    '{"v":1,"generation":"g","history":[{"from":"1","purposes":[],"termsVersion":"1"}]}',
    '{"v":1,"generation":"g","history":[{"from":1,"until":null,"purposes":[],"termsVersion":"1"}]}',
    '{"v":1,"generation":"g","history":[{"from":1,"purposes":"p","termsVersion":"1"}]}',
    '{"v":1,"generation":"g","history":[{"from":1,"purposes":[1],"termsVersion":"1"}]}',
    '{"v":1,"generation":"g","history":[{"from":1,"purposes":["p"]}]}',
    '{"v":1,"generation":"g","history":[{"from":1,"purposes":["p"],"termsVersion":"1","termsSha256":7}]}',
    '{"v":1,"generation":"g","history":[{"from":1e300,"purposes":["p"],"termsVersion":"1"}]}',
  ])('is not read from %s', (text) => {
    expect(decodeState(text)).toBeUndefined();
  });

  it('is not read from anything cut short', () => {
    fc.assert(
      fc.property(state, fc.nat(), (one, cut) => {
        const text = encodeState(one);
        expect(decodeState(text.slice(0, cut % text.length))).toBeUndefined();
      }),
    );
  });
});

describe('a position in Redis', () => {
  it('is read as it was written', () => {
    fc.assert(
      fc.property(position, (one) => {
        expect(decodePosition(encodePosition(one))).toEqual(one);
      }),
    );
  });

  it('keeps the form of version 1', () => {
    expect(
      encodePosition({
        log: 'log-1',
        topicId: 't',
        generation: 'g',
        next: 42n,
        watermark: 7,
        halted: false,
      }),
    ).toBe(
      '{"v":1,"log":"log-1","topicId":"t","generation":"g","next":"42","watermark":7,"halted":false}',
    );
    expect(
      encodePosition({ log: 'log-1', generation: 'g', next: 42n, watermark: 7, halted: false }),
    ).toBe('{"v":1,"log":"log-1","generation":"g","next":"42","watermark":7,"halted":false}');
  });

  it.each([
    '',
    'null',
    '[]',
    '{',
    '{}',
    '{"v":2,"log":"l","generation":"g","next":"1","watermark":7,"halted":false}',
    '{"v":1,"log":"l","generation":"g","next":1,"watermark":7,"halted":false}',
    '{"v":1,"log":"l","generation":"g","next":"01","watermark":7,"halted":false}',
    '{"v":1,"log":"l","generation":"g","next":"1","watermark":null,"halted":false}',
    '{"v":1,"log":"l","generation":"g","next":"1","watermark":7}',
    '{"v":1,"log":"l","generation":"g","next":"1","watermark":7,"halted":false,"more":1}',
    // One way to write it, or comparing texts would never agree.
    '{"v": 1,"log":"l","generation":"g","next":"1","watermark":7,"halted":false}',
    '{"log":"l","v":1,"generation":"g","next":"1","watermark":7,"halted":false}',
  ])('is not read from %s', (text) => {
    expect(decodePosition(text)).toBeUndefined();
  });
});

describe('the keys', () => {
  it('begin with one hash tag, so that a cluster keeps them together', () => {
    const keys = consentKeys('residency');
    expect([keys.position, keys.consent('c-7Qm2vXk91RtB')]).toEqual([
      '{residency}:position:2',
      '{residency}:consent:2:c-7Qm2vXk91RtB',
    ]);
  });

  it.each(['', 'a{b', 'a}b', 'a b', 'x'.repeat(65)])('refuse the prefix "%s"', (prefix) => {
    expect(() => consentKeys(prefix)).toThrow(
      expect.objectContaining({ code: 'REDIS_SETTINGS', remedy: 'stop' }),
    );
  });
});
