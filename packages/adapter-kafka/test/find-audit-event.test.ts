import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import type { FetchedMessage } from '../src/kafkajs/record-batch.ts';
import type { ClusterConnection } from '../src/reading/cluster-connection.ts';
import { findAuditEvent } from '../src/reading/find-audit-event.ts';

/**
 * One offset of an audit partition: an event, or what readers do not see or do not take for one.
 */
type Slot = { readonly event: true } | { readonly event: false; readonly visible: boolean };

/**
 * Events about intake offsets in ascending order, from `first` on, each `step` further; batches of
 * `batch` offsets, each brought whole.
 */
function partition(
  slots: readonly Slot[],
  {
    start,
    lastStable,
    batch,
    about,
  }: { start: number; lastStable: number; batch: number; about: (nth: number) => number },
) {
  let events = 0;
  const all = slots.map((slot, index): FetchedMessage | undefined => {
    const value = slot.event
      ? Buffer.from(JSON.stringify({ id: `log-1/threat.samples/0/${about(events++)}` }))
      : Buffer.from('noise');
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what is read of a message
    return slot.event || slot.visible
      ? ({ offset: String(index), value } as FetchedMessage)
      : undefined;
  });
  const visible = all.map((message, index) =>
    index >= start && index < lastStable ? message : undefined,
  );
  let fetches = 0;
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what a look asks of a connection
  const connection = {
    starts: async () => await Promise.resolve(new Map([[0, BigInt(start)]])),
    ends: async () => await Promise.resolve(new Map([[0, BigInt(slots.length)]])),
    leaders: async () => await Promise.resolve(new Map([[0, '1']])),
    fetch: async (_topic: string, _node: string, from: ReadonlyMap<number, bigint>) => {
      fetches += 1;
      const at = Number(from.get(0));
      const end = Math.min(lastStable, (Math.floor(at / batch) + 1) * batch);
      const messages = visible.slice(at, end).filter((message) => message !== undefined);
      return await Promise.resolve([
        { partition: 0, messages, next: BigInt(Math.max(at, end)), lastStable: BigInt(lastStable) },
      ]);
    },
  } as unknown as ClusterConnection;
  const abouts = visible.flatMap((message) =>
    message?.value?.toString().startsWith('{') === true
      ? [BigInt(message.value.toString().split('/').at(-1)?.replace(/\D/g, '') ?? '')]
      : [],
  );
  return { connection, abouts, fetches: () => fetches };
}

it('finds the same event as a read of the whole partition, with any records between the events, open transactions and deleted records', async () => {
  const slot = fc.oneof(
    { weight: 4, arbitrary: fc.constant<Slot>({ event: true }) },
    fc.record({ event: fc.constant(false as const), visible: fc.boolean() }),
  );
  const shape = fc.record({
    start: fc.nat(40),
    open: fc.nat(10),
    batch: fc.integer({ min: 1, max: 9 }),
    first: fc.nat(5),
    step: fc.integer({ min: 1, max: 3 }),
  });
  await fc.assert(
    fc.asyncProperty(
      fc.array(slot, { maxLength: 60 }),
      shape,
      fc.nat(200),
      async (slots, { start, open, batch, first, step }, wanted) => {
        const from = Math.min(start, slots.length);
        const { connection, abouts } = partition(slots, {
          start: from,
          lastStable: Math.max(from, slots.length - open),
          batch,
          about: (nth) => first + nth * step,
        });
        const offset = BigInt(wanted);
        const { found, rows } = await findAuditEvent(connection, 'audit', 0, offset);
        const expected = abouts.includes(offset)
          ? 'event'
          : abouts.some((about) => about > offset) || (abouts.length === 0 && from > 0)
            ? 'none'
            : 'later';
        expect(found).toBe(expected);
        if (found === 'event') expect(rows.some(({ about }) => about === offset)).toBe(true);
      },
    ),
    { numRuns: 2_000 },
  );
});

it('fetches few batches of a long log', async () => {
  const slots = Array.from({ length: 100_000 }, (): Slot => ({ event: true }));
  const { connection, fetches } = partition(slots, {
    start: 0,
    lastStable: slots.length,
    batch: 50,
    about: (nth) => nth,
  });
  expect((await findAuditEvent(connection, 'audit', 0, 77_777n)).found).toBe('event');
  expect(fetches()).toBeLessThan(20);
});
