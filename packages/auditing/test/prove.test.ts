import { TOPICS, encodeAuditEvent, sha256 } from '@residency/contracts';
import type { AuditEvent } from '@residency/contracts';
import { verifyReceipt } from '@residency/ledger';
import { beforeAll, describe, expect, it } from 'vitest';
import { prove } from '../src/verifying/prove.ts';
import { flipped, testLedger, withBit } from './ledger.ts';
import type { TestLedger } from './ledger.ts';

const eventOf = (offset: number): AuditEvent => ({
  position: { log: 'log-1', topic: 'threat.samples', partition: 0, offset: BigInt(offset) },
  at: offset,
  outcome: 'refused',
  data: {
    previous: offset === 0 ? null : String(offset - 3),
    submission: sha256(Buffer.from(String(offset))),
    sampleBytes: 1,
    verdict: 'suspicious',
    consentId: 'consent-0001',
    reason: 'CONSENT_UNKNOWN',
  },
});
/** Every third offset: a leaf's index is none of its event's. */
const events = Array.from({ length: 1_000 }, (_, index) => eventOf(index * 3));
const leafOf = (index: number): Buffer => encodeAuditEvent(events[index] ?? eventOf(1));

let ledger: TestLedger;
beforeAll(async () => {
  ledger = await testLedger(events.map((event) => encodeAuditEvent(event)));
});

it.each([0, 1, 255, 256, 257, 767, 768, 999])(
  'gives a receipt for leaf %i that anybody can verify',
  async (index) => {
    const { receipt, ...proven } = await prove(
      ledger.read,
      leafOf(index),
      TOPICS.audit,
      ledger.trust,
    );
    expect(proven).toMatchObject({ index, size: 1_000, origin: 'ledger.example/log-1/0' });
    expect(await verifyReceipt(receipt, leafOf(index), ledger.trust)).toMatchObject({ index });
  },
);

it('asks few bundles of a ledger whose events stand in order', async () => {
  const asked: string[] = [];
  await prove(
    async (path) => {
      asked.push(path);
      return ledger.files.get(path);
    },
    leafOf(700),
    TOPICS.audit,
  );
  expect(asked.filter((path) => path.includes('entries')).length).toBeLessThanOrEqual(4);
});

it('finds a leaf all the same where events do not stand in order, or are none', async () => {
  const odd = await testLedger([
    ...events.map((event) => encodeAuditEvent(event)).toReversed(),
    Buffer.from('{}'),
  ]);
  expect(await prove(odd.read, leafOf(10), TOPICS.audit)).toMatchObject({ index: 989 });
  const foreign = await testLedger([
    ...Array.from({ length: 600 }, () => Buffer.from('{}')),
    leafOf(10),
  ]);
  expect(await prove(foreign.read, leafOf(10), TOPICS.audit)).toMatchObject({
    index: 600,
  });
});

it('says so where the ledger has no such leaf, or nothing is published', async () => {
  await expect(
    prove(ledger.read, encodeAuditEvent(eventOf(4)), TOPICS.audit),
  ).rejects.toMatchObject({
    code: 'NOT_IN_LEDGER',
    remedy: 'retry',
  });
  await expect(prove(async () => undefined, leafOf(1), TOPICS.audit)).rejects.toMatchObject({
    code: 'NOT_IN_LEDGER',
  });
});

it('proves nothing from a damaged ledger, or one that somebody else signed', async () => {
  await expect(
    prove(flipped(ledger, 'tile/0/003.p/232', 9).read, leafOf(999), TOPICS.audit),
  ).rejects.toMatchObject({ code: 'ROOT_MISMATCH' });
  await expect(
    prove(ledger.read, leafOf(1), TOPICS.audit, (await testLedger([], 2)).trust),
  ).rejects.toMatchObject({ code: 'KEY_UNKNOWN' });
});

describe('a receipt', () => {
  it('with one bit flipped anywhere is refused', async () => {
    const { receipt } = await prove(ledger.read, leafOf(300), TOPICS.audit);
    for (let bit = 0; bit < receipt.length * 8; bit += 7) {
      await expect(
        verifyReceipt(withBit(receipt, bit), leafOf(300), ledger.trust).then(
          () => `bit ${bit} passed`,
        ),
        `bit ${bit}`,
      ).rejects.toHaveProperty('code');
    }
  });

  it('for another leaf, or with one bit of its leaf flipped, is refused', async () => {
    const { receipt } = await prove(ledger.read, leafOf(300), TOPICS.audit);
    await expect(verifyReceipt(receipt, leafOf(301), ledger.trust)).rejects.toMatchObject({
      code: 'ROOT_MISMATCH',
    });
    for (let bit = 0; bit < leafOf(300).length * 8; bit += 97) {
      await expect(
        verifyReceipt(receipt, withBit(leafOf(300), bit), ledger.trust),
      ).rejects.toMatchObject({ code: 'ROOT_MISMATCH' });
    }
  });
});
