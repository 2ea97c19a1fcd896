import { createHash } from 'node:crypto';
import type { SubmissionList } from '@residency/custodianship';
import { expect } from 'vitest';
import { describeBehaviours } from './behaviours.ts';
import type { Behaviour } from './behaviours.ts';

/** An empty site with its marker. */
export interface SubmissionListHarness {
  readonly open: () => SubmissionList;
  /** As a router creates them. */
  readonly create: (submissions: readonly string[]) => Promise<void>;
  /** Puts entries of every other kind that the adapter knows beside the objects. */
  readonly putOthers: () => Promise<void>;
  /** How many objects it creates in a second or two; more than a page, if it can. */
  readonly many: number;
  readonly close: () => Promise<void>;
}

const submissions = (count: number): readonly string[] =>
  Array.from({ length: count }, (_, n) => createHash('sha256').update(`${n}`).digest('hex'));

async function listed(list: SubmissionList): Promise<readonly string[]> {
  return (await Array.fromAsync(list.submissions())).flat().toSorted();
}

const BEHAVIOURS: readonly Behaviour<SubmissionListHarness>[] = [
  {
    name: 'of an empty site has none',
    async check({ open }) {
      expect(await listed(open())).toEqual([]);
    },
  },
  {
    name: 'lists each submission once, whatever it begins with',
    async check({ open, create, many }) {
      const all = submissions(many);
      await create(all);
      expect(await listed(open())).toEqual(all.toSorted());
    },
  },
  {
    name: 'leaves out what is no object of a submission',
    async check({ open, create, putOthers }) {
      const all = submissions(3);
      await create(all);
      await putOthers();
      expect(await listed(open())).toEqual(all.toSorted());
    },
  },
  {
    name: 'lists again what was created since',
    async check({ open, create }) {
      const list = open();
      const all = submissions(4);
      await create(all.slice(0, 2));
      await listed(list);
      await create(all.slice(2));
      expect(await listed(list)).toEqual(all.toSorted());
    },
  },
  {
    name: 'may be abandoned in the middle',
    async check({ open, create }) {
      await create(submissions(40));
      const list = open();
      for await (const page of list.submissions()) if (page.length > 0) break;
      expect(await listed(list)).toHaveLength(40);
    },
  },
];

/** The contract of the `SubmissionList` port; every adapter runs it unchanged. */
export function describeSubmissionList(
  adapter: string,
  open: () => Promise<SubmissionListHarness>,
): void {
  describeBehaviours(adapter, 'SubmissionList', BEHAVIOURS, open);
}
