import { evolve } from '@residency/consent';
import type { ConsentEvent, ConsentGranted, ConsentHistory } from '@residency/consent';
import type { NewRecord } from '@residency/contracts';
import type { ConsentReading, ConsentView } from '@residency/routing';
import { expect } from 'vitest';
import { describeBehaviours } from './behaviours.ts';
import type { Behaviour } from './behaviours.ts';
import { eventually } from './eventually.ts';

/**
 * A consent view over an empty log of its own. The harness appends ticks if the view needs them to
 * move.
 */
export interface ConsentViewHarness {
  readonly view: ConsentView;
  /** Appends to the consent log. Returns the append time once the event is durable. */
  readonly publishConsent: (event: ConsentEvent) => Promise<number>;
  /** Appends any record to the consent log. Returns its append time. */
  readonly publishRecord: (record: NewRecord) => Promise<number>;
  readonly close: () => Promise<void>;
}

const ID = 'consent-0001';

function grant(consentId: string, termsVersion = '1'): ConsentGranted {
  return { kind: 'granted', consentId, purposes: ['threat-sample-sharing'], termsVersion };
}

/** The first reading that is complete up to and including `at`. */
async function readBeyond(
  view: ConsentView,
  ids: readonly string[],
  at: number,
): Promise<ConsentReading> {
  return await eventually(async () => {
    const reading = await view.read(ids);
    return reading.watermark > at ? reading : undefined;
  });
}

const BEHAVIOURS: readonly Behaviour<ConsentViewHarness>[] = [
  {
    name: 'leaves out an id that has no event',
    async check({ view, publishConsent }) {
      const at = await publishConsent(grant(ID));
      const { histories } = await readBeyond(view, ['consent-none'], at);
      expect([...histories]).toEqual([]);
    },
  },
  {
    name: 'opens an interval at the append time of a grant, with its purposes and terms',
    async check({ view, publishConsent }) {
      const termsSha256 = 'ab'.repeat(32);
      const at = await publishConsent({
        ...grant(ID, '2026-11'),
        purposes: ['threat-sample-sharing', 'research'],
        termsSha256,
      });
      const { histories } = await readBeyond(view, [ID], at);
      expect(histories.get(ID)).toEqual([
        {
          from: at,
          purposes: ['threat-sample-sharing', 'research'],
          termsVersion: '2026-11',
          termsSha256,
        },
      ]);
    },
  },
  {
    name: 'closes the interval at the append time of a withdrawal, and opens another one at the next grant',
    async check({ view, publishConsent }) {
      const from = await publishConsent(grant(ID, '1'));
      const until = await publishConsent({ kind: 'withdrawn', consentId: ID });
      const again = await publishConsent(grant(ID, '2'));
      const { histories } = await readBeyond(view, [ID], again);
      const purposes = ['threat-sample-sharing'];
      expect(histories.get(ID)).toEqual([
        { from, until, purposes, termsVersion: '1' },
        { from: again, purposes, termsVersion: '2' },
      ]);
    },
  },
  {
    name: 'reads many ids in one reading, each with its own history',
    async check({ view, publishConsent }) {
      const ids = Array.from({ length: 50 }, (_, index) => `consent-${1_000 + index}`);
      let last = 0;
      for (const id of ids) last = await publishConsent(grant(id, id));
      const { histories } = await readBeyond(view, ids, last);
      expect(ids.map((id) => histories.get(id)?.map(({ termsVersion }) => termsVersion))).toEqual(
        ids.map((id) => [id]),
      );
    },
  },
  {
    name: 'skips a record that holds no consent event and continues behind it',
    async check({ view, publishConsent, publishRecord }) {
      await publishRecord({
        key: Buffer.from('bad'),
        headers: [],
        value: Buffer.from('{"not": "an event"'),
      });
      await publishRecord({
        key: Buffer.from('bad'),
        headers: [['content-type', Buffer.from('application/cloudevents+json')]],
        value: Buffer.from([0xff, 0x00]),
      });
      await publishRecord({ key: Buffer.from('gone'), headers: [], value: null });
      const at = await publishConsent(grant(ID));
      const { histories } = await readBeyond(view, [ID], at);
      expect(histories.get(ID)).toHaveLength(1);
    },
  },
  {
    name: 'moves its watermark forward only',
    async check({ view, publishConsent }) {
      const seen: number[] = [];
      for (let round = 0; round < 20; round += 1) {
        await publishConsent(grant(ID, String(round)));
        seen.push((await view.read([ID])).watermark);
      }
      expect(seen).toEqual(seen.toSorted((a, b) => a - b));
    },
  },
  {
    name: 'holds everything appended before its watermark, and only complete prefixes of the log, while events are appended',
    async check(harness) {
      await checkWholeReadings(harness);
    },
  },
];

async function checkWholeReadings({ view, publishConsent }: ConsentViewHarness): Promise<void> {
  const ids = ['consent-a-01', 'consent-b-02', 'consent-c-03'];
  const published: { readonly event: ConsentEvent; readonly at: number }[] = [];
  const publishing = (async () => {
    for (let index = 0; index < 120; index += 1) {
      const consentId = ids[index % ids.length] ?? ID;
      const event: ConsentEvent =
        index % 7 === 3 ? { kind: 'withdrawn', consentId } : grant(consentId, String(index));
      published.push({ event, at: await publishConsent(event) });
    }
  })();
  const readings: ConsentReading[] = [];
  const reader = (async () => {
    while (published.length < 120) {
      readings.push(await view.read(ids));
      await new Promise((resolve) => {
        setImmediate(resolve);
      });
    }
  })();
  await Promise.all([publishing, reader]);
  readings.push(await readBeyond(view, ids, published.at(-1)?.at ?? 0));

  const prefixes = published.map((_, index) => fold(published.slice(0, index + 1)));
  for (const { watermark, histories } of readings) {
    const due = published.filter(({ at }) => at < watermark).length;
    const allowed = [due === 0 ? {} : prefixes[due - 1], ...prefixes.slice(due)];
    expect(allowed).toContainEqual(Object.fromEntries(histories));
  }
  expect(Object.fromEntries(readings.at(-1)?.histories ?? [])).toEqual(prefixes.at(-1));
}

function fold(
  published: readonly { readonly event: ConsentEvent; readonly at: number }[],
): Record<string, ConsentHistory> {
  const histories: Record<string, ConsentHistory> = {};
  for (const { event, at } of published) {
    const next = evolve(histories[event.consentId] ?? [], event, at);
    if (next.length > 0) histories[event.consentId] = next;
  }
  return histories;
}

/**
 * The contract of the `ConsentView` port. `open` returns a harness over a log that nobody else
 * uses.
 */
export function describeConsentView(
  adapter: string,
  open: () => Promise<ConsentViewHarness>,
): void {
  describeBehaviours(adapter, 'ConsentView', BEHAVIOURS, open);
}
