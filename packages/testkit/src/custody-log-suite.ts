import type { CustodyLog, CustodyReading } from '@residency/custodianship';
import { expect } from 'vitest';
import { describeBehaviours } from './behaviours.ts';
import type { Behaviour } from './behaviours.ts';
import { someCustodyEvent } from './custody-events.ts';

/** The empty custody logs of the regions `zurich` and `moscow`. */
export interface CustodyLogHarness {
  /** As a process that just started opens it. It has the right to append from then on. */
  readonly open: (region: string) => Promise<CustodyLog>;
  /** As a reader sees it that may not append. */
  readonly reading: (region: string) => Promise<CustodyReading>;
  /** Appends a record that no custodian writes. */
  readonly appendForeign: (region: string, value: Buffer | null) => Promise<void>;
  readonly close: () => Promise<void>;
}

const REGION = 'zurich';
const FENCED = { code: 'FENCED', remedy: 'retry' };

/** Events `from` to `to`, exclusive. */
function events(from: number, to: number, region = REGION): Buffer[] {
  return Array.from({ length: to - from }, (_, index) =>
    someCustodyEvent(from + index, { region }),
  );
}

async function valuesOf(log: CustodyLog): Promise<readonly Buffer[]> {
  return await Array.fromAsync(log.read(), ({ value }) => value);
}

const BEHAVIOURS: readonly Behaviour<CustodyLogHarness>[] = [
  {
    name: 'names its log and region',
    async check({ open }) {
      expect(await open(REGION)).toMatchObject({
        log: expect.stringMatching(/^[A-Za-z0-9._-]{1,64}$/),
        region: REGION,
      });
    },
  },
  {
    name: 'of a region without an event has no values',
    async check({ open }) {
      expect(await valuesOf(await open(REGION))).toEqual([]);
    },
  },
  {
    name: 'appends in order, byte for byte',
    async check({ open }) {
      const log = await open(REGION);
      const all = events(0, 12);
      await log.append(all.slice(0, 1));
      await log.append(all.slice(1, 8));
      await log.append([]);
      await log.append(all.slice(8));
      expect(await valuesOf(log)).toEqual(all);
    },
  },
  {
    name: 'appends more than a send or a page holds',
    async check({ open }) {
      const log = await open(REGION);
      const all = events(0, 1_200);
      await log.append(all);
      expect(await valuesOf(log)).toEqual(all);
    },
  },
  {
    name: 'appends nothing if one value is no custody event of the region',
    async check({ open }) {
      for (const foreign of [
        Buffer.from('{}'),
        someCustodyEvent(1, { region: 'moscow' }),
        Buffer.alloc(0),
      ]) {
        const log = await open(REGION);
        await expect(
          log.append([someCustodyEvent(0), foreign, someCustodyEvent(2)]),
        ).rejects.toMatchObject({ code: 'INVALID_CUSTODY_EVENT', remedy: 'stop' });
        await log.close();
      }
      expect(await valuesOf(await open(REGION))).toEqual([]);
    },
  },
  {
    name: 'lets the next owner go on where the last one stopped',
    async check({ open }) {
      const all = events(0, 9);
      for (let from = 0; from < 9; from += 3) {
        const log = await open(REGION);
        expect(await valuesOf(log)).toEqual(all.slice(0, from));
        await log.append(all.slice(from, from + 3));
        await log.close();
      }
      expect(await valuesOf(await open(REGION))).toEqual(all);
    },
  },
  {
    name: 'of two owners, lets only the one that opened last append',
    async check({ open }) {
      const all = events(0, 3);
      const first = await open(REGION);
      await first.append(all.slice(0, 1));
      const second = await open(REGION);
      await expect(first.append(events(7, 8))).rejects.toMatchObject(FENCED);
      expect(await valuesOf(second)).toEqual(all.slice(0, 1));
      await second.append(all.slice(1, 2));
      await expect(first.append(events(8, 9))).rejects.toBeInstanceOf(Error);
      await first.close();
      await second.append(all.slice(2));
      expect(await valuesOf(second)).toEqual(all);
    },
  },
  {
    name: 'fences an owner that appended nothing by one that appends nothing',
    async check({ open }) {
      const first = await open(REGION);
      const second = await open(REGION);
      await expect(first.append(events(0, 1))).rejects.toMatchObject(FENCED);
      expect(await valuesOf(second)).toEqual([]);
    },
  },
  {
    name: 'has either all of an append that raced with the next owner or, for ever, none',
    async check({ open }) {
      const expected: Buffer[] = [];
      let owner = await open(REGION);
      for (let round = 0; round < 6; round += 1) {
        const values = events(round * 10, round * 10 + 4);
        const appended = owner.append(values).then(
          () => true,
          () => false,
        );
        for (let turn = 0; turn < round; turn += 1) await Promise.resolve();
        const next = await open(REGION);
        const found = await valuesOf(next);
        if (found.length > expected.length) expected.push(...values);
        expect(found).toEqual(expected);
        // An owner that was told that it appended is never contradicted.
        if (await appended) expect(expected.slice(-4)).toEqual(values);
        expect(await valuesOf(next)).toEqual(expected);
        await owner.close();
        owner = next;
      }
    },
  },
  {
    name: 'confirms its owner until the next one is opened, and appends nothing by it',
    async check({ open }) {
      const log = await open(REGION);
      await log.confirm();
      await log.append(events(0, 2));
      await log.confirm();
      await log.confirm();
      await log.append(events(2, 3));
      const next = await open(REGION);
      await expect(log.confirm()).rejects.toMatchObject(FENCED);
      await next.confirm();
      expect(await valuesOf(next)).toEqual(events(0, 3));
      await next.close();
      await expect(next.confirm()).rejects.toBeInstanceOf(Error);
    },
  },
  {
    name: 'confirms no owner that appended nothing once another was opened',
    async check({ open }) {
      const first = await open(REGION);
      await open(REGION);
      await expect(first.confirm()).rejects.toMatchObject(FENCED);
    },
  },
  {
    name: 'appends nothing once it is closed',
    async check({ open }) {
      const log = await open(REGION);
      await log.append(events(0, 1));
      await log.close();
      await log.close();
      await expect(log.append(events(1, 2))).rejects.toBeInstanceOf(Error);
      expect(await valuesOf(await open(REGION))).toEqual(events(0, 1));
    },
  },
  {
    name: 'ends its values at the end at the call',
    async check({ open }) {
      const log = await open(REGION);
      await log.append(events(0, 3));
      const found: Buffer[] = [];
      for await (const { value } of log.read()) {
        if (found.length === 0) await log.append(events(3, 5));
        found.push(value);
      }
      expect(found).toEqual(events(0, 3));
      expect(await valuesOf(log)).toEqual(events(0, 5));
    },
  },
  {
    name: 'may be read from a record on, and says where it appended',
    async check({ open }) {
      const log = await open(REGION);
      const all = events(0, 1_200);
      const first = await log.append(all.slice(0, 5));
      const last = await log.append(all.slice(5));
      const records = await Array.fromAsync(log.read());
      expect([records[4]?.offset, records.at(-1)?.offset]).toEqual([first, last]);
      for (const from of [0, 4, 5, 700, 1_199]) {
        const later = await Array.fromAsync((await open(REGION)).read(records[from]?.offset));
        expect(later).toEqual(records.slice(from));
      }
    },
  },
  {
    name: 'is the same for a reader, who fences nobody',
    async check({ open, reading, appendForeign }) {
      const reader = await reading(REGION);
      expect([reader.log, reader.region]).toEqual([(await open(REGION)).log, REGION]);
      expect(await Array.fromAsync(reader.read())).toEqual([]);
      const log = await open(REGION);
      await log.append(events(0, 3));
      expect(await Array.fromAsync(reader.read())).toEqual(await Array.fromAsync(log.read()));
      await log.append(events(3, 4));
      await appendForeign(REGION, null);
      const records = await Array.fromAsync(reader.read());
      expect(records).toEqual(await Array.fromAsync((await open(REGION)).read()));
      expect(records).toHaveLength(5);
      for (const [index, { offset }] of records.entries())
        expect(await Array.fromAsync(reader.read(offset))).toEqual(records.slice(index));
      const beyond = await Array.fromAsync(reader.read((records.at(-1)?.offset ?? 0n) + 99n)).catch(
        (error: unknown) => error,
      );
      if (beyond instanceof Error) expect(beyond).toMatchObject({ remedy: 'stop' });
      else expect(beyond).toEqual([]);
    },
  },
  {
    name: 'has no record at or behind an offset beyond its end',
    async check({ open }) {
      const log = await open(REGION);
      const last = await log.append(events(0, 3));
      const found = await Array.fromAsync(log.read(last + 1_000n)).catch((error: unknown) => error);
      if (found instanceof Error) expect(found).toMatchObject({ remedy: 'stop' });
      else expect(found).toEqual([]);
    },
  },
  {
    name: 'may be read in part',
    async check({ open }) {
      const log = await open(REGION);
      await log.append(events(0, 600));
      for await (const { value } of log.read()) {
        expect(value).toEqual(someCustodyEvent(0));
        break;
      }
      expect(await valuesOf(log)).toHaveLength(600);
    },
  },
  {
    name: "mixes no two regions' events, and fences no other region's owner",
    async check({ open }) {
      const zurich = await open('zurich');
      const moscow = await open('moscow');
      await zurich.append(events(0, 2));
      await moscow.append(events(0, 3, 'moscow'));
      await zurich.append(events(2, 4));
      expect(await valuesOf(zurich)).toEqual(events(0, 4));
      expect(await valuesOf(moscow)).toEqual(events(0, 3, 'moscow'));
    },
  },
  {
    name: 'passes on what is no custody event, and a record without a value as an empty one',
    async check({ open, appendForeign }) {
      await (await open(REGION)).append(events(0, 1));
      await appendForeign(REGION, Buffer.from('no event'));
      await appendForeign(REGION, null);
      const log = await open(REGION);
      await log.append(events(1, 2));
      expect(await valuesOf(log)).toEqual([
        ...events(0, 1),
        Buffer.from('no event'),
        Buffer.alloc(0),
        ...events(1, 2),
      ]);
    },
  },
];

/** The contract of the `CustodyLog` port; every adapter runs it unchanged. */
export function describeCustodyLog(adapter: string, open: () => Promise<CustodyLogHarness>): void {
  describeBehaviours(adapter, 'CustodyLog', BEHAVIOURS, open);
}
