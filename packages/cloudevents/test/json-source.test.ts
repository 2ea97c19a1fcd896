import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { elementsOf, membersOf } from '../src/json-source.ts';

/** JSON, and JSON with one character removed, doubled or replaced. */
const nearlyJson = fc
  .tuple(
    fc.json({ maxDepth: 4 }),
    fc.nat(),
    fc.constantFrom(
      '',
      '"',
      '\\',
      '{',
      '}',
      '[',
      ']',
      ',',
      ':',
      '0',
      '-',
      '.',
      'e',
      ' ',
      '\n',
      '\u0001',
      '\u00a0',
    ),
  )
  .chain(([json, seed, character]) => {
    const at = seed % (json.length + 1);
    return fc.constantFrom(
      json,
      json.slice(0, at) + character + json.slice(at),
      json.slice(0, at) + character + json.slice(at + 1),
    );
  });

it('reads an array exactly when JSON.parse does, to the same values', () => {
  fc.assert(
    fc.property(nearlyJson, (json) => {
      const text = ` [${json} , ${json}]\n`;
      expect(outcome(() => [...elementsOf(text)].map(parse))).toEqual(outcome(() => parse(text)));
    }),
    { numRuns: 10_000 },
  );
});

it('reads an object exactly when JSON.parse does, to the same values', () => {
  fc.assert(
    fc.property(nearlyJson, (json) => {
      const text = `{ "a" :${json}, "\\u0062":[${json}] } `;
      expect(
        outcome(() =>
          Object.fromEntries(
            Array.from(membersOf(text, 2), ([name, source]) => [name, parse(source)]),
          ),
        ),
      ).toEqual(outcome(() => parse(text)));
    }),
    { numRuns: 10_000 },
  );
});

function parse(source: string): unknown {
  return JSON.parse(source);
}

function outcome(step: () => unknown): unknown {
  try {
    return { value: step() };
  } catch {
    return 'refused';
  }
}
