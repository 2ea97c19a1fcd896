import { policyDigest } from '@residency/contracts';
import type { NewRecord } from '@residency/contracts';
import type { PolicyDocument } from '@residency/residency';
import type { PolicyReading, PolicyView } from '@residency/routing';
import { expect } from 'vitest';
import { describeBehaviours } from './behaviours.ts';
import type { Behaviour } from './behaviours.ts';
import { eventually } from './eventually.ts';

/**
 * Policy views over an empty log of their own. The harness appends ticks if the views need them to
 * move.
 */
export interface PolicyViewHarness {
  /** A view that has read nothing yet. */
  readonly openView: () => Promise<PolicyView>;
  /** Appends a version to the policy log. Returns its append time once it is durable. */
  readonly publishPolicy: (document: PolicyDocument) => Promise<number>;
  /** Appends any record to the policy log. Returns its append time. */
  readonly publishRecord: (record: NewRecord) => Promise<number>;
  readonly close: () => Promise<void>;
}

/** The smallest valid document. A view does not check that it covers every country. */
function policy(version: number): PolicyDocument {
  return {
    id: 'suite',
    version,
    effectiveFrom: `2026-01-0${version}T00:00:00Z`,
    regions: [{ id: 'zurich', sites: ['zrh-1', 'zrh-2'] }],
    rules: [
      {
        id: 'europe',
        region: 'zurich',
        from: '0000-01-01',
        countries: ['CH'],
        basis: 'named',
        confidence: 'stated',
        cites: ['GTI §1'],
      },
    ],
  };
}

/** The first reading that is complete up to and including `at`. */
async function readBeyond(view: PolicyView, at: number): Promise<PolicyReading> {
  return await eventually(async () => {
    const reading = await view.read();
    return reading.watermark > at ? reading : undefined;
  });
}

const BEHAVIOURS: readonly Behaviour<PolicyViewHarness>[] = [
  {
    name: 'returns versions in log order, each with its document, digest and append time',
    async check({ openView, publishPolicy }) {
      const documents = [policy(1), policy(3), policy(2)];
      const times: number[] = [];
      for (const document of documents) times.push(await publishPolicy(document));
      const { versions } = await readBeyond(await openView(), times.at(-1) ?? 0);
      expect(versions).toEqual(
        documents.map((document, index) => ({
          document,
          digest: policyDigest(document),
          appendedAt: times[index],
        })),
      );
    },
  },
  {
    name: 'sees a version that is published after it was opened, once',
    async check({ openView, publishPolicy }) {
      const view = await openView();
      await readBeyond(view, await publishPolicy(policy(1)));
      const at = await publishPolicy(policy(2));
      await Promise.all([view.read(), view.read()]);
      const { versions } = await readBeyond(view, at);
      expect(versions.map(({ document }) => document.version)).toEqual([1, 2]);
    },
  },
  {
    name: 'skips a record that holds no policy and continues behind it',
    async check({ openView, publishPolicy, publishRecord }) {
      await publishRecord({
        key: Buffer.from('bad'),
        headers: [],
        value: Buffer.from('no policy'),
      });
      await publishRecord({ key: Buffer.from('gone'), headers: [], value: null });
      const at = await publishPolicy(policy(1));
      const { versions } = await readBeyond(await openView(), at);
      expect(versions.map(({ document }) => document.version)).toEqual([1]);
    },
  },
  {
    name: 'moves its watermark forward only, and all views of a log reach the same state',
    async check({ openView, publishPolicy }) {
      const view = await openView();
      const seen: number[] = [];
      let last = 0;
      for (let version = 1; version <= 5; version += 1) {
        last = await publishPolicy(policy(version));
        seen.push((await view.read()).watermark);
      }
      expect(seen).toEqual(seen.toSorted((a, b) => a - b));
      const [old, fresh] = [await readBeyond(view, last), await readBeyond(await openView(), last)];
      expect(fresh.versions).toEqual(old.versions);
    },
  },
];

/**
 * The contract of the `PolicyView` port. `open` returns a harness over a log that nobody else uses.
 */
export function describePolicyView(adapter: string, open: () => Promise<PolicyViewHarness>): void {
  describeBehaviours(adapter, 'PolicyView', BEHAVIOURS, open);
}
