import fc from 'fast-check';
import { expect, it } from 'vitest';
import { decodeSiteMarker, encodeSiteMarker } from '../src/index.ts';

const word = fc.stringMatching(/^[a-z0-9][a-z0-9.-]{0,63}$/);

it('reads a site marker back as it was written', () => {
  fc.assert(
    fc.property(fc.record({ region: word, site: word }), (identity) => {
      expect(decodeSiteMarker(encodeSiteMarker(identity))).toEqual(identity);
    }),
  );
});

it.each([
  '',
  'null',
  '[]',
  '{}',
  '{"region":"zurich"}',
  '{"region":"<canary>","site":"Zrh 1"}',
  '{"region":1,"site":{}}',
  '\0',
])("reads %j as no site's marker and repeats nothing of it", (text) => {
  expect(decodeSiteMarker(Buffer.from(text))).toEqual({
    region: '(unreadable)',
    site: '(unreadable)',
  });
});

it('repeats the well-formed one of two names', () => {
  expect(decodeSiteMarker(Buffer.from('{"region":"moscow","site":"no site"}'))).toEqual({
    region: 'moscow',
    site: '(unreadable)',
  });
});
