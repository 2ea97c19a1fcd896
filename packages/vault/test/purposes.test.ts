import { parsePurposes } from '@residency/vault';
import { expect, test } from 'vitest';
import { VAULT_PURPOSES as PURPOSES } from '@residency/testkit';

const [analysis] = PURPOSES.purposes;

test('a purposes file: cart is the default form, nobody must approve by default', () => {
  const { forms: _, ...rest } = { forms: [], ...analysis };
  const purposes = parsePurposes(JSON.stringify({ purposes: [rest] }));
  expect(purposes.get('analysis')).toMatchObject({ forms: ['cart'], approvals: 0, approvers: [] });
  expect(
    parsePurposes(JSON.stringify({ purposes: [PURPOSES.purposes[1]] })).get('research')?.daily,
  ).toMatchObject({ searches: 0, results: 0 });
});

test.each([
  ['no JSON', '{'],
  ['a name twice', '{"purposes": [], "purposes": []}'],
  ['no object', '[]'],
  ['another member', JSON.stringify({ purposes: [], more: 1 })],
  ['another member of a purpose', JSON.stringify({ purposes: [{ ...analysis, allow: 'all' }] })],
  ['no limits', JSON.stringify({ purposes: [{ ...analysis, daily: undefined }] })],
  ['no principals', JSON.stringify({ purposes: [{ ...analysis, principals: undefined }] })],
  [
    'a name for a principal',
    JSON.stringify({ purposes: [{ ...analysis, principals: ['Ana B'] }] }),
  ],
  ['two of one id', JSON.stringify({ purposes: [analysis, analysis] })],
  [
    'fewer approvers than approvals',
    JSON.stringify({ purposes: [{ ...analysis, approvals: 2, approvers: ['bob', 'bob'] }] }),
  ],
  ['a lifetime of days', JSON.stringify({ purposes: [{ ...analysis, lifetimeSeconds: 86_401 }] })],
  [
    'searches without results',
    JSON.stringify({ purposes: [{ ...analysis, daily: { count: 1, bytes: 1, searches: 1 } }] }),
  ],
  [
    'results without searches',
    JSON.stringify({ purposes: [{ ...analysis, daily: { count: 1, bytes: 1, results: 1 } }] }),
  ],
  ['an unknown form', JSON.stringify({ purposes: [{ ...analysis, forms: ['exe'] }] })],
])('%s is no purposes file', (_, text) => {
  expect(() => parsePurposes(text)).toThrow(expect.objectContaining({ code: 'INVALID_PURPOSES' }));
});
