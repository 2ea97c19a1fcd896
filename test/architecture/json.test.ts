import { expect, test } from 'vitest';
import { code, files } from './tree.ts';

/**
 * `JSON.parse` takes the last of two equal members, and so does `Response.json`. `readJson` reads
 * all JSON that decides anything.
 */
const BARE = /\bJSON\s*\.\s*parse\b|\bJSON\s*\[|\.json\(\)|\{[^}]*\bparse\b[^}]*\}\s*=\s*JSON\b/g;

const ALLOWED: Readonly<Record<string, string>> = {
  'packages/residency/src/read-json.ts':
    'the reader itself: the grammar, after everything that has two readings was refused',
  'packages/cloudevents/src/json-source.ts':
    'single strings of an envelope, of which it has refused duplicate members itself',
  'packages/adapter-sqlite/src/wire.ts':
    'header lists that this log wrote: arrays only; what a header holds is judged where it is read, and must not end the reading',
  'packages/auditing/src/replaying/consent-totals.ts': 'scratch lines that the same run wrote',
  'packages/auditing/src/adjudicating/consent-histories.ts':
    'scratch lines that the same run wrote',
  'packages/auditing/src/adjudicating/claim.ts': 'scratch lines that the same run wrote',
};

const found = (path: string): string[] => code(path).match(BARE) ?? [];

test('readJson reads all JSON that decides anything, and every exception has a reason', () => {
  const bare = files('{packages,services}/*/{src,bin}/**/*.{ts,js}').filter(
    (path) => found(path).length > 0,
  );
  expect(bare).toEqual(Object.keys(ALLOWED).toSorted());
});

test.each([
  'JSON.parse(text)',
  'JSON["parse"](text)',
  'response.json()',
  'const { parse } = JSON',
  'lines.map(JSON.parse)',
])('finds %s', (line) => {
  expect(line.match(BARE)).not.toBeNull();
});

test.each(['JSON.stringify(value)', 'output.json(value)', 'readJson(text)', 'parse(text)'])(
  'allows %s',
  (line) => {
    expect(line.match(BARE)).toBeNull();
  },
);
