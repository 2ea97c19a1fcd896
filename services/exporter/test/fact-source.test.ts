import { expect, test } from 'vitest';
import { factSource } from '../src/fact-source.ts';

test('a fact is shown once its reading is, and unknown where it is forgotten', async () => {
  const shown: (string | undefined)[] = [];
  const source = factSource(
    'control',
    () => Promise.resolve('paused'),
    (fact) => {
      shown.push(fact);
    },
  );
  const show = await source.read(new AbortController().signal);
  expect(shown).toEqual([]);
  show();
  source.forget();
  expect(shown).toEqual(['paused', undefined]);
});
