import { checkPolicy, decide, policyInForce } from '@residency/residency';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  FORMAT_LEVEL,
  decodeObjectMetadata,
  decodeQuarantinePointer,
  encodeObjectMetadata,
  encodeQuarantinePointer,
  formatPosition,
  objectKey,
  parsePosition,
  policyDigest,
  readPolicy,
  sha256OfParts,
  submissionId,
  submissionOfKey,
} from '../src/index.ts';
import { objects } from './arbitraries.ts';

const hex64 = fc.stringMatching(/^[0-9a-f]{64}$/);

describe('a position', () => {
  it('reads back as it was written', () => {
    const position = fc.record({
      log: fc.stringMatching(/^[A-Za-z0-9._-]{1,64}$/),
      topic: fc.stringMatching(/^[A-Za-z0-9._-]{1,249}$/),
      partition: fc.nat(2 ** 31 - 1),
      offset: fc.bigInt({ min: 0n, max: 2n ** 63n - 1n }),
    });
    fc.assert(
      fc.property(position, (p) => {
        expect(parsePosition(formatPosition(p))).toEqual(p);
      }),
    );
  });
  it.each([
    '',
    'a/b/0',
    'a/b/00/1',
    'a/b/0/01',
    'a/b/0/-1',
    'a/b/0/1/2',
    'a b/c/0/1',
    '/b/0/1',
    'a/b/0/1\n',
  ])('is not %j', (text) => {
    expect(() => parsePosition(text)).toThrow(
      expect.objectContaining({ code: 'INVALID_POSITION' }),
    );
  });
});

describe("an object's key", () => {
  it('tells its submission and nothing else does', () => {
    fc.assert(
      fc.property(hex64, (id) => {
        expect(submissionOfKey(objectKey(id))).toBe(id);
        expect(submissionOfKey(objectKey(id).toUpperCase())).toBeUndefined();
        expect(submissionOfKey(`samples/${id}`)).toBeUndefined();
        expect(submissionOfKey(`${objectKey(id)}.json`)).toBeUndefined();
      }),
    );
  });
  it("is no key where its folders are another submission's", () => {
    expect(submissionOfKey(`samples/00/11/${'a'.repeat(64)}`)).toBeUndefined();
  });
});

describe('a submission id', () => {
  it('differs wherever source or id differ, however they are cut', () => {
    expect(submissionId({ source: 'ab', id: 'c' })).not.toBe(
      submissionId({ source: 'a', id: 'bc' }),
    );
    fc.assert(
      fc.property(
        fc.tuple(fc.string(), fc.string()),
        fc.tuple(fc.string(), fc.string()),
        ([a, b], [c, d]) => {
          fc.pre(a !== c || b !== d);
          expect(sha256OfParts(a, b)).not.toBe(sha256OfParts(c, d));
        },
      ),
    );
  });
  it('has the documented value', () => {
    expect(submissionId({ source: 'urn:test', id: '1' })).toBe(
      'b1645e8f7e45de227c7287513a56ef3a139bd4ca0a7cc026419279426eb85a1a',
    );
  });
});

describe('object metadata', () => {
  it('reads back as it was written, in lower-case ASCII names', () => {
    fc.assert(
      fc.property(objects, (m) => {
        const values = encodeObjectMetadata(m);
        expect(Object.keys(values).every((name) => /^[a-z0-9-]+$/.test(name))).toBe(true);
        expect(decodeObjectMetadata(values)).toEqual(m);
      }),
    );
  });
  it.each(['', 'x', 'A'.repeat(36), '3F9D2C1A-6B7E-4D58-9A0C-1E2F3A4B5C6D'])(
    'is refused with the order %j of a tombstone',
    (erased) => {
      const values = {
        position: 'l/t/0/1',
        'sample-sha256': 'a'.repeat(64),
        country: 'CH',
        'policy-digest': 'a'.repeat(64),
        'sealed-sha256': 'a'.repeat(64),
        'wrapping-key': 'k',
      };
      const order = '3f9d2c1a-6b7e-4d58-9a0c-1e2f3a4b5c6d';
      expect(decodeObjectMetadata({ ...values, erased: order }).erased).toBe(order);
      expect(decodeObjectMetadata(values)).not.toHaveProperty('erased');
      expect(() => decodeObjectMetadata({ ...values, erased })).toThrow(
        expect.objectContaining({ code: 'INVALID_METADATA' }),
      );
    },
  );
  it.each([
    'position',
    'sample-sha256',
    'country',
    'policy-digest',
    'sealed-sha256',
    'wrapping-key',
  ])('without %s is refused', (name) => {
    const values: Record<string, string> = {
      position: 'l/t/0/1',
      'sample-sha256': 'a'.repeat(64),
      country: 'CH',
      'policy-digest': 'a'.repeat(64),
      'sealed-sha256': 'a'.repeat(64),
      'wrapping-key': 'k',
    };
    expect(decodeObjectMetadata(values).country).toBe('CH');
    Reflect.deleteProperty(values, name);
    expect(() => decodeObjectMetadata(values)).toThrow(
      expect.objectContaining({ code: 'INVALID_METADATA' }),
    );
  });
});

it('a quarantine pointer reads back as it was written', () => {
  const pointer = {
    position: 'l/t/0/1',
    reason: 'EMPTY_SAMPLE',
    detail: 'sample: no bytes',
    valueSha256: 'a'.repeat(64),
    valueBytes: 0,
  } as const;
  expect(decodeQuarantinePointer(encodeQuarantinePointer(pointer))).toEqual(pointer);
});

describe('a policy document', () => {
  const document = {
    id: 'p',
    version: 1,
    effectiveFrom: '2018-01-01',
    regions: [{ id: 'zurich', sites: ['zrh-1'] }],
    rules: [
      {
        id: 'r',
        region: 'zurich',
        from: '2018-01-01',
        countries: ['CH'],
        basis: 'named',
        confidence: 'stated',
        cites: ['GTI §1'],
      },
    ],
  };
  it('is named alike however its bytes are laid out', () => {
    const { rules, ...rest } = document;
    const a = readPolicy(Buffer.from(JSON.stringify(document)));
    const b = readPolicy(Buffer.from(JSON.stringify({ rules, ...rest }, null, 4)));
    expect(b.digest).toBe(a.digest);
    expect(policyDigest(a.document)).toBe(a.digest);
  });
  it.each<[string, object]>([
    ['an unknown member', { ...document, extra: 1 }],
    ['no rules', { ...document, rules: [] }],
    ['version 0', { ...document, version: 0 }],
    ['a date that never was', { ...document, effectiveFrom: '2018-02-30' }],
    ['an empty code', { ...document, rules: [{ ...document.rules[0], countries: [''] }] }],
    [
      'a code of 17 characters',
      { ...document, rules: [{ ...document.rules[0], countries: ['x'.repeat(17)] }] },
    ],
    [
      'a code nobody sees',
      { ...document, rules: [{ ...document.rules[0], countries: ['C\u202EH'] }] },
    ],
    ...[0, -1, 36_501, '30'].map((keepDays): [string, object] => [
      `keepDays ${keepDays}`,
      { ...document, regions: [{ ...document.regions[0], keepDays }] },
    ]),
    ['a rule without a source', { ...document, rules: [{ ...document.rules[0], cites: [] }] }],
  ])('with %s is refused', (_, bad) => {
    expect(() => readPolicy(Buffer.from(JSON.stringify(bad)))).toThrow(
      expect.objectContaining({ code: 'INVALID_POLICY' }),
    );
  });
  const odd = ['zz', 'Z1', 'ch', 'C', ' CH', 'Schweiz', 'É', 'constructor'];
  it('is read with codes that are none, so that the check can name each', () => {
    const { document: read } = readPolicy(
      Buffer.from(
        JSON.stringify({
          ...document,
          rules: [{ ...document.rules[0], countries: ['CH', ...odd] }],
        }),
      ),
    );
    const [unknown] = checkPolicy(read).filter(({ code }) => code === 'UNKNOWN_COUNTRY');
    expect(unknown?.message).toContain(`found ${odd.join(', ')}.`);
  });
  it('published past the check places no record by a code that is none', () => {
    const version = readPolicy(
      Buffer.from(
        JSON.stringify({
          ...document,
          rules: [{ ...document.rules[0], from: '0000-01-01', countries: odd }],
        }),
      ),
    );
    const inForce = policyInForce([{ ...version, appendedAt: 0 }], Date.parse('2026-01-31'));
    // Sound by its own list, hence in force: what follows is about `decide`.
    expect(inForce?.digest).toBe(version.digest);
    for (const code of [...odd, 'ZZ', 'CH', 'zZ', 'c', 'SCHWEIZ', '__proto__'])
      expect(decide(version, code, Date.parse('2026-01-31'))).toEqual({ known: false });
  });
  it('that is not JSON is refused', () => {
    expect(() => readPolicy(Buffer.from('{'))).toThrow(
      expect.objectContaining({ code: 'INVALID_POLICY' }),
    );
  });
});

it('the format level is 5: a custodian of level 4 gives the number of a `lost` event to another', () => {
  expect(FORMAT_LEVEL).toBe(5);
});
