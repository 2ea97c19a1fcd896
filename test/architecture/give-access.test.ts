import { VAULT_ERROR_CODES, parsePurposes } from '@residency/vault';
import { expect, test } from 'vitest';
import { text } from './tree.ts';

const page = text('docs/how-to/give-access.md');
const [purposes = '', tokens = ''] = [...page.matchAll(/^```json\n([\s\S]*?)^```$/gm)].map(
  ([, content = '']) => content,
);

test('the purposes file of the page is one', () => {
  expect([...parsePurposes(purposes).keys()]).toEqual(['detection', 'third-party-request']);
});

test('its tokens are of principals, as digests', () => {
  for (const token of JSON.parse(tokens))
    expect(token).toEqual({
      sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
      principal: expect.stringMatching(/^[a-z0-9][a-z0-9._-]{0,63}$/),
    });
});

test('the page says of every code what it means', () => {
  expect(VAULT_ERROR_CODES.filter((code) => !page.includes(`\`${code}\``))).toEqual([]);
});
