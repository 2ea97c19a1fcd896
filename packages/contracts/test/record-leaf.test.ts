import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { digestLeaf, offsetOfLeaf, recordForm, recordInForm, sha256 } from '../src/index.ts';
import type { RecordContent } from '../src/index.ts';

const bytes = fc.uint8Array({ maxLength: 40 }).map((array) => Buffer.from(array));
const name = fc.string({ unit: 'grapheme', maxLength: 12 });
const record: fc.Arbitrary<RecordContent> = fc.record({
  offset: fc.bigInt({ min: 0n, max: 2n ** 63n - 1n }),
  at: fc.integer({ min: -1, max: 8.64e15 }),
  key: fc.option(bytes),
  headers: fc.array(fc.tuple(name, bytes), { maxLength: 3 }),
  value: fc.option(bytes),
});
const some: RecordContent = {
  offset: 12n,
  at: 1_793_610_966_217,
  key: Buffer.from('residency/1/e-1'),
  headers: [['content-type', Buffer.from('application/cloudevents+json')]],
  value: Buffer.from('{}'),
};

describe("a record's form", () => {
  it('gives the record back, and no other record has it', () => {
    fc.assert(
      fc.property(record, record, (one, other) => {
        expect(recordInForm(recordForm(one))).toEqual(one);
        if (recordForm(one).equals(recordForm(other))) expect(one).toEqual(other);
      }),
    );
  });

  it('is none with one byte changed that it would not have written', () => {
    fc.assert(
      fc.property(record, fc.nat(), fc.integer({ min: 1, max: 255 }), (one, at, flip) => {
        const form = recordForm(one);
        form[at % form.length] = (form[at % form.length] ?? 0) ^ flip;
        const found = recordInForm(form);
        if (found !== undefined) expect(recordForm(found)).toEqual(form);
        expect(found).not.toEqual(one);
      }),
    );
  });

  it('is written as the format page says', () => {
    expect(recordForm(some).toString()).toBe(
      '{"at":1793610966217,"bytes":2,"headers":[["content-type","YXBwbGljYXRpb24vY2xvdWRldmVudHMranNvbg=="]],"key":"cmVzaWRlbmN5LzEvZS0x","offset":"12"}\n{}',
    );
    expect(recordForm({ ...some, key: null, headers: [], value: null }).toString()).toBe(
      '{"at":1793610966217,"bytes":null,"headers":[],"key":null,"offset":"12"}\n',
    );
  });

  it.each([
    ['nothing', ''],
    ['no line', '{"at":1,"bytes":0,"headers":[],"key":null,"offset":"1"}'],
    ['another length', '{"at":1,"bytes":1,"headers":[],"key":null,"offset":"1"}\n'],
    ['bytes of no value', '{"at":1,"bytes":null,"headers":[],"key":null,"offset":"1"}\nx'],
    ['white space', '{"at":1, "bytes":0,"headers":[],"key":null,"offset":"1"}\n'],
    ['another order', '{"bytes":0,"at":1,"headers":[],"key":null,"offset":"1"}\n'],
    ['a leading zero', '{"at":1,"bytes":0,"headers":[],"key":null,"offset":"01"}\n'],
    ['unused bits', '{"at":1,"bytes":0,"headers":[],"key":"QR==","offset":"1"}\n'],
    ['another member', '{"at":1,"bytes":0,"headers":[],"key":null,"more":1,"offset":"1"}\n'],
  ])('is not read out of %s', (_, text) => {
    expect(recordInForm(Buffer.from(text))).toBeUndefined();
    expect(offsetOfLeaf(Buffer.from(text))).toBeUndefined();
  });
});

describe('a leaf names the offset', () => {
  it('as a record and as a digest, which hides everything else', () => {
    fc.assert(
      fc.property(record, (one) => {
        expect(offsetOfLeaf(recordForm(one))).toBe(one.offset);
        expect(offsetOfLeaf(digestLeaf(one))).toBe(one.offset);
      }),
    );
    expect(digestLeaf(some).toString()).toBe(
      `{"offset":"12","sha256":"${sha256(recordForm(some))}"}`,
    );
  });

  it.each(['', '{}', '{"offset":"1"}', `{"offset":"01","sha256":"${'0'.repeat(64)}"}`])(
    'and %s is no leaf',
    (text) => {
      expect(offsetOfLeaf(Buffer.from(text))).toBeUndefined();
    },
  );
});
