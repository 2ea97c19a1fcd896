import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { BEGINNING_OF_TIME, formatInstant, parseInstant } from '../src/instant.ts';

test.each([
  ['1970-01-01T00:00:00Z', 0],
  ['2018-11-13', Date.UTC(2018, 10, 13)],
  ['2018-11-13t00:00:00z', Date.UTC(2018, 10, 13)],
  ['2018-11-13T01:30:00+01:30', Date.UTC(2018, 10, 13)],
  ['2018-11-12T19:00:00-05:00', Date.UTC(2018, 10, 13)],
  ['2020-02-29T23:59:59.999Z', Date.UTC(2020, 1, 29, 23, 59, 59, 999)],
  ['1970-01-01T00:00:00.5Z', 500],
  ['1970-01-01T00:00:00.123999999Z', 123],
  [BEGINNING_OF_TIME, -62_167_219_200_000],
])('%s is %i', (text, at) => {
  expect(parseInstant(text)).toBe(at);
});

test.each([
  '',
  'now',
  '2018',
  '2018-11',
  '2018-11-13T00:00Z',
  '2018-11-13T00:00:00',
  '2018-11-13 00:00:00Z',
  '20181113',
  '2018-11-13T00:00:00+0100',
  '2019-02-29',
  '2019-04-31',
  '2019-13-01',
  '2019-00-10',
  '2019-01-01T24:00:00Z',
  '2019-01-01T00:60:00Z',
  '2016-12-31T23:59:60Z',
  '2019-01-01T00:00:00.Z',
  '2019-01-01T00:00:00.1234567890Z',
  '2019-01-01T00:00:00+24:00',
  '2019-01-01T00:00:00+01:60',
  ' 2019-01-01',
  '2019-01-01\n',
  '+002019-01-01',
  '\uFF12\uFF10\uFF11\uFF19-01-01',
  '0',
])('%j is no instant', (text) => {
  expect(parseInstant(text)).toBeUndefined();
});

test('formatInstant and parseInstant are inverses over the years RFC 3339 can write', () => {
  fc.assert(
    fc.property(
      fc.integer({
        min: Date.UTC(2000, 0, 1) - 2000 * 365.2425 * 86_400_000,
        max: Date.UTC(9999, 11, 31),
      }),
      (at) => {
        expect(parseInstant(formatInstant(at))).toBe(at);
      },
    ),
  );
});
