import { describe, expect, it } from 'vitest';
import { checkSites, readRegions } from '../src/index.ts';

const SITE = { region: 'zurich', bucket: 'samples', awsRegion: 'eu-central-2' };
const linesOf = (document: unknown): readonly string[] =>
  readRegions(typeof document === 'string' ? document : JSON.stringify(document)).mistakes.map(
    ({ expected, found }) => `${expected} / ${found}`,
  );

describe('the regions file', () => {
  it.each<[unknown, readonly string[]]>([
    ['{', ['a file with a JSON object / something that is not JSON, in line 1']],
    [[], ['an object in the document / nothing, or another kind of value']],
    [{ sites: {} }, ['at least one site / none']],
    [{ sites: { a: SITE }, extra: 1 }, ['only members it knows in the document / "extra"']],
    [
      { sites: { a: { ...SITE, key: 'x', more: 'y' } } },
      ['only members it knows in sites.a / "key"', 'only members it knows in sites.a / "more"'],
    ],
    [{ sites: { 'A b': SITE } }, ['sites\' names as in the policy in sites / "A?b"']],
    [
      { sites: { a: { ...SITE, region: undefined } } },
      ['a string in sites.a.region / nothing, or another kind of value'],
    ],
    [
      { sites: { a: { ...SITE, bucket: 'B' } } },
      ["a bucket's name of 3 to 63 of a-z 0-9 . - in sites.a.bucket / something else"],
    ],
    [
      {
        sites: {
          a: { ...SITE, pathStyle: 'yes', checksums: 'NEVER', endpoint: 'ftp://h', awsRegion: '' },
        },
      },
      [
        'an address https://host or http://host:port, without user, password and query in sites.a.endpoint / something else',
        "a region as the store's signature names it, such as eu-central-2 in sites.a.awsRegion / something else",
        'a boolean in sites.a.pathStyle / nothing, or another kind of value',
        '"WHEN_REQUIRED" or "WHEN_SUPPORTED" in sites.a.checksums / something else',
      ],
    ],
    [
      { sites: { a: { ...SITE, endpoint: 'https://u:p@h' } } },
      [
        'an address https://host or http://host:port, without user, password and query in sites.a.endpoint / something else',
      ],
    ],
    [
      '{"sites":{},\n"sites":{}}',
      ['a file with a JSON object / a member that occurs twice in one object, in line 2'],
    ],
    [
      '{"sites":{"a":1,"a":2}}',
      ['a file with a JSON object / a member that occurs twice in one object, in line 1'],
    ],
    ['{"sites":{"\ufffd":1}}', ['a file with a JSON object / bytes that are not UTF-8']],
    [
      { sites: { a: SITE, b: SITE } },
      ['a bucket of its own for each site / one bucket for a and b'],
    ],
  ])('%j is told what is wrong with it', (document, lines) => {
    expect(linesOf(document)).toEqual(lines);
  });
});

describe('checkSites', () => {
  const places = [
    { site: 'zrh-1', region: 'zurich' },
    { site: 'mow-1', region: 'zurich' },
    { site: 'old-1', region: 'moscow' },
  ];
  const document = {
    regions: [
      { id: 'zurich', sites: ['zrh-1', 'zrh-2'] },
      { id: 'moscow', sites: ['mow-1'] },
    ],
  };

  it('names a site without an entry, one in another region, and one that no policy names, each once', () => {
    expect(
      checkSites([document, document], places).map(({ code, site }) => `${code} ${site}`),
    ).toEqual(['SITE_NOT_CONFIGURED zrh-2', 'SITE_ELSEWHERE mow-1', 'SITE_UNKNOWN old-1']);
  });

  it('says nothing where both agree', () => {
    expect(
      checkSites(
        [document],
        [
          { site: 'zrh-1', region: 'zurich' },
          { site: 'zrh-2', region: 'zurich' },
          { site: 'mow-1', region: 'moscow' },
        ],
      ),
    ).toEqual([]);
  });
});
