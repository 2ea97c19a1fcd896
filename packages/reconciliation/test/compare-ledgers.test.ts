import { encodeAuditEvent, sha256 } from '@residency/contracts';
import {
  EMPTY_LEDGER,
  NOTE_SIGNATURE,
  growth,
  makeKey,
  openSignerKey,
  parseVerifierKey,
  signCheckpoint,
} from '@residency/ledger';
import { beforeAll, describe, expect, it } from 'vitest';
import { LEDGER_DIFFERENCE_CODES, compareLedgers } from '../src/index.ts';
import type { LedgerComparison, LedgerView } from '../src/index.ts';

type AuditRecord = Parameters<typeof compareLedgers>[0] extends AsyncIterable<infer T> ? T : never;

function event(partition: number, offset: number): Buffer {
  return encodeAuditEvent({
    position: { log: 'log-1', topic: 'threat.samples', partition, offset: BigInt(offset) },
    at: offset,
    outcome: 'refused',
    data: {
      previous: offset === 0 ? null : String(offset - 1),
      submission: sha256(Buffer.from(String(offset))),
      sampleBytes: 1,
      verdict: 'suspicious',
      consentId: 'consent-0001',
      reason: 'CONSENT_UNKNOWN',
    },
  });
}

const OF_AUDIT = { topic: 'residency.audit', partition: 0, at: 0, key: null, headers: [] };

const records = (partition: number, count: number): AuditRecord[] =>
  Array.from({ length: count }, (_, offset) => ({
    ...OF_AUDIT,
    partition,
    offset: BigInt(offset * 2),
    value: event(partition, offset),
  }));

/** Two partitions, interleaved. */
async function* interleaved(
  ...partitions: readonly (readonly AuditRecord[])[]
): AsyncGenerator<AuditRecord> {
  for (let at = 0; partitions.some(({ length }) => at < length); at += 1)
    for (const list of partitions) yield* list.slice(at, at + 1);
}

async function view(
  partition: number,
  leaves: readonly Uint8Array[],
  change: (files: Map<string, Uint8Array>) => void = () => undefined,
): Promise<LedgerView> {
  const origin = `ledger.example/log-1/${partition}`;
  const { signerKey, verifierKey } = await makeKey(
    origin,
    new Uint8Array(32).fill(1),
    NOTE_SIGNATURE,
  );
  const { files, root, state } = growth(EMPTY_LEDGER, leaves);
  const stored = new Map<string, Uint8Array>(
    files.map(({ path, bytes }) => [path, Uint8Array.from(bytes)]),
  );
  stored.set(
    'checkpoint',
    await signCheckpoint(
      { origin, size: state.size, root, extensions: [] },
      await openSignerKey(signerKey),
    ),
  );
  change(stored);
  return {
    of: { topic: 'residency.audit', partition },
    read: async (path) => stored.get(path),
    trust: { keys: [parseVerifierKey(verifierKey)] },
  };
}

const leavesOf = (list: readonly AuditRecord[]): Buffer[] =>
  list.map(({ value }) => value ?? Buffer.alloc(0));
const [zero, one] = [records(0, 700), records(1, 300)];
let views: readonly LedgerView[];
beforeAll(async () => {
  views = [await view(0, leavesOf(zero).slice(0, 600)), await view(1, leavesOf(one))];
});

const codes = ({ differences: { list } }: LedgerComparison) =>
  list.map(({ code, position }) => [code, position]);

it('finds every event of an honest log as the leaf at its index, and counts events that the ledger does not have yet', async () => {
  const compared = await compareLedgers(interleaved(zero, one), views);
  expect(compared).toMatchObject({
    ledgers: [
      { partition: 0, origin: 'ledger.example/log-1/0', size: 600, compared: 600, notYet: 100 },
      { partition: 1, size: 300, compared: 300, notYet: 0 },
    ],
    absent: [],
    differences: { total: 0, list: [] },
  });
  expect(compared.ledgers[0]?.root).toMatch(/^[A-Za-z0-9+/]{43}=$/);
});

it('expects the leaf that the format defines for a record that is not an event, has no value or is too long', async () => {
  const odd: AuditRecord[] = [
    { ...OF_AUDIT, offset: 0n, value: null },
    { ...OF_AUDIT, offset: 1n, value: Buffer.from('no event') },
    { ...OF_AUDIT, offset: 2n, value: Buffer.alloc(70_000, 'x') },
  ];
  const leaves = [
    Buffer.alloc(0),
    Buffer.from('no event'),
    Buffer.from(`{"bytes":70000,"sha256":"${sha256(Buffer.alloc(70_000, 'x'))}"}`),
  ];
  expect(await compareLedgers(interleaved(odd), [await view(0, leaves)])).toMatchObject({
    ledgers: [{ compared: 3 }],
    differences: { total: 0 },
  });
});

describe('finds and names', () => {
  const manipulations: readonly (readonly [
    what: string,
    list: () => readonly AuditRecord[],
    code: string,
    position: string,
  ])[] = [
    [
      'an altered event',
      () =>
        zero.with(300, {
          ...OF_AUDIT,
          offset: 600n,
          value: event(0, 999),
        }),
      'LEDGER_LEAF_DIFFERS',
      'log-1/threat.samples/0/999',
    ],
    [
      'an event replaced by what is none',
      () =>
        zero.with(300, {
          ...OF_AUDIT,
          offset: 600n,
          value: Buffer.from('{}'),
        }),
      'LEDGER_LEAF_DIFFERS',
      'residency.audit/0/600',
    ],
    ['a log that lost its end', () => zero.slice(0, 599), 'LEDGER_AHEAD', 'residency.audit/0'],
  ];

  it.each(manipulations)('%s', async (_, list, code, position) => {
    expect(codes(await compareLedgers(interleaved(list(), one), views))).toEqual([
      [code, position],
    ]);
  });

  it.each([
    ['a dropped event', () => zero.toSpliced(300, 1), 'log-1/threat.samples/0/301'],
    [
      'a repeated event',
      () => zero.toSpliced(300, 0, ...zero.slice(300, 301)),
      'log-1/threat.samples/0/300',
    ],
  ] as const)(
    '%s from there on, and compares no further once it is clear',
    async (_, list, position) => {
      const compared = codes(await compareLedgers(interleaved(list(), one), views));
      expect(compared[0]).toEqual(['LEDGER_LEAF_DIFFERS', position]);
      expect(compared).toHaveLength(17);
      expect(compared.at(-1)?.[0]).toBe('LEDGER_DIVERGES');
    },
  );

  it('two events in another order', async () => {
    expect(
      codes(
        await compareLedgers(
          interleaved(zero.toSpliced(300, 2, ...zero.slice(300, 302).toReversed())),
          [await view(0, leavesOf(zero))],
        ),
      ),
    ).toEqual([
      ['LEDGER_LEAF_DIFFERS', 'log-1/threat.samples/0/301'],
      ['LEDGER_LEAF_DIFFERS', 'log-1/threat.samples/0/300'],
    ]);
  });

  it.each([
    ['a checkpoint that was altered', 'checkpoint', (bytes: Uint8Array) => bytes.with(30, 0x41)],
    ['a partial tile that was altered', 'tile/0/002.p/88', (bytes: Uint8Array) => bytes.with(9, 1)],
    ['an entry that was altered', 'tile/entries/001', (bytes: Uint8Array) => bytes.with(99, 1)],
  ])('%s', async (_, path, change) => {
    const damaged = await view(0, leavesOf(zero).slice(0, 600), (files) =>
      files.set(path, change(files.get(path) ?? new Uint8Array())),
    );
    expect(codes(await compareLedgers(interleaved(zero), [damaged]))).toEqual([
      ['LEDGER_DAMAGED', 'residency.audit/0'],
    ]);
  });

  it('a ledger of another partition', async () => {
    const foreign = {
      ...(await view(1, leavesOf(one))),
      of: { topic: 'residency.audit' as const, partition: 0 },
      ...(views[0]?.trust === undefined ? {} : { trust: views[0].trust }),
    };
    expect(codes(await compareLedgers(interleaved(zero), [foreign]))).toEqual([
      ['LEDGER_DAMAGED', 'residency.audit/0'],
    ]);
  });

  it('each with a code of the list', () => {
    expect(LEDGER_DIFFERENCE_CODES).toEqual([
      'LEDGER_LEAF_DIFFERS',
      'LEDGER_RECORD_MISSING',
      'LEDGER_RECORD_ADDED',
      'LEDGER_DIVERGES',
      'LEDGER_AHEAD',
      'LEDGER_DAMAGED',
      'LEDGER_ROLLED_BACK',
      'LEDGER_KEY_LOST',
      'REPEATED_KEY',
    ]);
  });
});

it('names the partitions without a comparison', async () => {
  const compared = await compareLedgers(interleaved(zero, one), [
    { of: { topic: 'residency.audit', partition: 0 }, read: async () => undefined },
  ]);
  expect([compared.absent, compared.ledgers, compared.differences.total]).toEqual([
    ['residency.audit/0', 'residency.audit/1'],
    [],
    0,
  ]);
});

it("rejects with a reader's error unchanged", async () => {
  const read = (): Promise<never> => Promise.reject(new Error('the store is down'));
  await expect(
    compareLedgers(interleaved(zero), [{ of: { topic: 'residency.audit', partition: 0 }, read }]),
  ).rejects.toThrow('the store is down');
});
