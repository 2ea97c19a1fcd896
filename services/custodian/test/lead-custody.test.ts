import { INITIAL_CONTROL } from '@residency/contracts';
import { CodedError } from '@residency/coded-error';
import { leadCustody } from '@residency/custodian';
import type { LeadCustodyDeps } from '@residency/custodian';
import { expect, test } from 'vitest';

type Log = LeadCustodyDeps['log'];
type Lead = ReturnType<Log['custodian']>['lead'];

const never = (): never => {
  throw new Error('Expected no call.');
};
const stopped = new AbortController();
stopped.abort();

/** A log of which only the policy view and the terms are used. */
function someLog(view: Partial<ReturnType<Log['policyView']>>, lead: Lead, seen: string[]): Log {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the rest is not used
  return {
    policyView: () => {
      seen.push('view');
      return view;
    },
    custodian: () => ({ lead }),
    auditFeed: () => ({ partitions: async () => [], read: never }),
    settledOutcomes: () => ({ outcomeOf: never }),
  } as unknown as Log;
}

test('the policies are read before the first term, and each term has the same view of them', async () => {
  const seen: string[] = [];
  let reads = 0;
  const view = {
    read: async () => {
      reads += 1;
      if (reads < 3)
        throw new CodedError({ code: 'VIEW_NOT_READ', message: 'not yet', remedy: 'retry' });
      return { watermark: 0, versions: [] };
    },
  };
  const lead: Lead = async (work) => {
    for (const term of ['first term', 'second term']) {
      seen.push(`${term} after ${reads} reads`);
      await work(
        {
          log: 'log-1',
          region: 'zurich',
          read: async function* none() {},
          append: never,
          confirm: never,
          close: async () => undefined,
        },
        stopped.signal,
      );
    }
  };
  const waits: unknown[] = [];
  await leadCustody({
    log: someLog(view, lead, seen),
    region: 'zurich',
    sites: { site: never },
    control: () => INITIAL_CONTROL,
    now: () => 0,
    elapsed: () => 0,
    random: () => 0,
    intervalMs: 1,
    signal: new AbortController().signal,
    waits: (error) => waits.push(error),
    logger: { debug: never, info: never, warn: never, error: never, setLevel: never },
    metrics: {
      region: () => () => undefined,
      round: never,
      copied: never,
      closed: never,
      erased: never,
      lost: never,
      tookOver: never,
      register: never,
    },
  });
  expect(seen).toEqual(['view', 'first term after 3 reads', 'second term after 4 reads']);
  expect(waits.map((error) => (error instanceof CodedError ? error.code : error))).toEqual([
    'VIEW_NOT_READ',
    'VIEW_NOT_READ',
    undefined,
    undefined,
    undefined,
  ]);
});
