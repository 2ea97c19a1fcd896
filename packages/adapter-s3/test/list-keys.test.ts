import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { takeKeys } from '../src/list-keys.ts';

const HEAD =
  '<?xml version="1.0" encoding="UTF-8"?>\n<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>b</Name><Prefix>samples%2F</Prefix><EncodingType>url</EncodingType><IsTruncated>true</IsTruncated><NextContinuationToken>a+b/c=</NextContinuationToken>';
const TAIL = '</ListBucketResult>';

/** As S3 encodes it. */
function encoded(key: string): string {
  return encodeURIComponent(key).replaceAll('%20', '+').replaceAll('%2F', '/');
}

function object(key: string): string {
  return `<Contents><Key>${key}</Key><LastModified>2026-11-30T12:00:00.000Z</LastModified><ETag>&quot;1&quot;</ETag><Size>1</Size><Owner><ID>x</ID></Owner></Contents>`;
}

describe('the keys of a list', () => {
  test('are all of them, in order, and the rest is what the SDK reads besides', () => {
    fc.assert(
      fc.property(
        fc.array(fc.string({ unit: 'grapheme', minLength: 1 }).filter((key) => key.isWellFormed())),
        fc.constantFrom('', '\n  '),
        (names, between) => {
          const keys = names.map(encoded);
          const xml = `${HEAD}${keys.map((key) => `${between}${object(key)}`).join('')}${TAIL}`;
          expect(takeKeys(xml)).toEqual({
            keys,
            rest: `${HEAD}${between.repeat(keys.length)}${TAIL}`,
          });
        },
      ),
    );
  });

  test.each([
    ['is not form-encoded', `<ListBucketResult>${object('a')}${TAIL}`],
    ['has a comment', `${HEAD}<!-- ${object('a')} -->${TAIL}`],
    ['has a section', `${HEAD}<Contents><Key><![CDATA[a]]></Key></Contents>${TAIL}`],
    ['has objects with attributes', `${HEAD}<Contents a="b"><Key>a</Key></Contents>${TAIL}`],
    ['has objects of another name space', `${HEAD}<s:Contents><Key>a</Key></s:Contents>${TAIL}`],
    ['has an object without a key', `${HEAD}<Contents><Size>1</Size></Contents>${TAIL}`],
    ['has an object with two keys', `${HEAD}<Contents><Key>a</Key><Key>b</Key></Contents>${TAIL}`],
    [
      'has an object in an object',
      `${HEAD}<Contents><Contents><Key>a</Key></Contents></Contents>${TAIL}`,
    ],
    ['has an empty key', `${HEAD}${object('')}${TAIL}`],
    ['has a key with an entity', `${HEAD}${object('a&amp;b')}${TAIL}`],
    ['has a key with a blank', `${HEAD}${object('a b')}${TAIL}`],
    ['ends in an object', `${HEAD}<Contents><Key>a</Key>`],
    ['ends in a key', `${HEAD}<Contents><Key>a</Contents>${TAIL}`],
  ])('are not taken from an answer that %s', (_, xml) => {
    expect(takeKeys(xml)).toBeUndefined();
  });
});
