import { assess } from '@residency/observation';
import type { LedgerFacts } from '@residency/observation';
import { expect, it } from 'vitest';
import { ledger } from './some-snapshot.ts';

const judged = (...known: readonly LedgerFacts[]): readonly string[] =>
  assess({ ledgers: { known } }).map(
    ({ check, state, found, next = '' }) => `${check} ${state}: ${found} ${next}`,
  );

it('a ledger is wrong if it is missing, behind, or of another log', () => {
  const due = { offset: 9n, forMs: 305_000 };
  const none = { partition: 1, verified: false, intakeEnd: 0n };
  expect(judged(ledger({ last: 9n, due }), none)).toEqual([
    expect.stringMatching(/^ledger ok: 1 checkpoint of 5 entries/),
  ]);
  expect(judged(ledger({ last: 11n, due }))).toEqual([expect.stringMatching(/^ledger ok/)]);
  expect(judged(ledger({ last: 9n, due, verified: false }))).toEqual([
    expect.stringMatching(/^ledger unknown: .*no key is here/),
  ]);
  expect(
    judged(ledger({ last: 9n, due }), { ...none, due: { ...due, offset: 0n }, intakeEnd: 4n }),
  ).toEqual([expect.stringMatching(/^ledger 1 wrong: no checkpoint, .* for more than 5 min /)]);
  expect(judged(ledger({ last: 8n, due }))).toEqual([
    expect.stringMatching(/^ledger 0 wrong: behind: .*offset 8, .*offset 9 for more than 5 min /),
  ]);
  expect(judged(ledger({ last: 8n, due: { ...due, forMs: 299_000 } }))).toEqual([
    expect.stringMatching(/^ledger ok/),
  ]);
  expect(judged(ledger({ last: 12n }))).toEqual([
    expect.stringMatching(/^ledger 0 wrong: .*ends at 12/),
  ]);
});
