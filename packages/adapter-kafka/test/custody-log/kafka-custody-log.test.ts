import type { LogRecord } from '@residency/contracts';
import { someCustodyEvent } from '@residency/testkit';
import { expect, it } from 'vitest';
import { KafkaCustodyLog } from '../../src/custody-log/kafka-custody-log.ts';
import type { KafkaCustodyLogDeps } from '../../src/custody-log/kafka-custody-log.ts';
import { KafkaLogError } from '../../src/kafka-log-error.ts';
import { Withheld } from '../../src/submission-log/transactional-producer.ts';
import type { Settling } from '../../src/submission-log/transactional-producer.ts';

type Fault = 'failed' | 'failed but persisted' | 'acknowledged, and its marker forgotten';

const lost = new KafkaLogError({
  code: 'KAFKA_UNREACHABLE',
  message: 'Expected an answer.',
  remedy: 'retry',
});

/** A partition and its owners. What is open has neither been committed nor aborted. */
class Partition {
  readonly committed: Buffer[] = [];
  open: Buffer[] = [];
  readonly steps: string[] = [];
  fault: Fault | undefined;
  /** The next abort is acknowledged, and its marker forgotten. */
  forgetsAbort = false;

  async own(beforeCommit = () => Promise.resolve()): Promise<KafkaCustodyLog> {
    return await KafkaCustodyLog.open(this.#deps(), {
      region: 'zurich',
      transactionTimeoutMs: 1_000,
      beforeCommit,
    });
  }

  async values(): Promise<readonly Buffer[]> {
    return await Array.fromAsync((await this.own()).read(), ({ value }) => value);
  }

  #deps(): KafkaCustodyLogDeps {
    const { committed } = this;
    return {
      settings: { log: 'log-1', topicPrefix: 'p.' },
      reads: {
        extent: () => {
          const decided = BigInt(committed.length);
          return Promise.resolve({ decided, end: decided + BigInt(this.open.length) });
        },
      },
      read: async function* () {
        yield await Promise.resolve(committed.map((value) => ({ value }) as LogRecord));
      },
      decidedWithinMs: 100,
      openProducer: ({ transactionalId }) => {
        this.steps.push(`fence ${transactionalId}`);
        return Promise.resolve({
          commit: async (settling) => {
            await this.#commit(settling);
            return BigInt(this.committed.length - 1);
          },
          abortWhatIsOpen: ([topic]) => {
            this.steps.push(`abort ${topic}`);
            // Its own record, which it needs to reach the partition.
            this.open = this.forgetsAbort ? [...this.open, Buffer.of()] : [];
            this.forgetsAbort = false;
            return Promise.resolve();
          },
          close: () => {
            this.steps.push('close');
            return Promise.resolve();
          },
        });
      },
    };
  }

  async #commit({ sends, next, beforeCommit }: Settling): Promise<void> {
    if (next !== undefined) throw new Error('Expected no position to be committed.');
    await beforeCommit().catch((reason: unknown) => {
      throw new Withheld(reason);
    });
    const values = sends.flatMap(({ records }) => records.map(({ value }) => value ?? Buffer.of()));
    const { fault } = this;
    this.fault = undefined;
    if (fault === 'failed') throw lost;
    if (fault === 'acknowledged, and its marker forgotten') {
      this.open.push(...values);
      return;
    }
    // A commit marker ends everything that the producer left open.
    this.committed.push(...this.open.splice(0), ...values);
    if (fault === 'failed but persisted') throw lost;
  }
}

const [a, b] = [someCustodyEvent(0), someCustodyEvent(1)];

it('opens without an abort if nothing dangles', async () => {
  const partition = new Partition();
  await partition.own();
  expect(partition.steps).toEqual(['fence p.residency-custodian-zurich']);
});

it('aborts what dangles before it appends: its own commit would commit that too', async () => {
  const partition = new Partition();
  partition.open.push(a);
  const log = await partition.own();
  expect(partition.steps.slice(1)).toEqual(['abort residency.custody.zurich']);
  await log.append([b]);
  expect(await partition.values()).toEqual([b]);
});

it.each<[Fault, readonly Buffer[]]>([
  ['failed', []],
  ['failed but persisted', [a]],
])('of an append that %s, the next owner finds what there is', async (fault, found) => {
  const partition = new Partition();
  const log = await partition.own();
  partition.fault = fault;
  await expect(log.append([a])).rejects.toBe(lost);
  await log.close();
  expect(await partition.values()).toEqual(found);
});

it('does not confirm an append that no reader sees, and the next owner aborts it', async () => {
  const partition = new Partition();
  const log = await partition.own();
  partition.fault = 'acknowledged, and its marker forgotten';
  await expect(log.append([a])).rejects.toMatchObject({
    code: 'CUSTODY_UNDECIDED',
    remedy: 'retry',
  });
  expect(await partition.values()).toEqual([]);
});

it('appends nothing after a confirmation whose abort is not decided: the commit would commit that too', async () => {
  const partition = new Partition();
  const log = await partition.own();
  partition.forgetsAbort = true;
  await log.confirm();
  await expect(log.append([a])).rejects.toMatchObject({
    code: 'CUSTODY_UNDECIDED',
    remedy: 'retry',
  });
  await log.close();
  const next = await partition.own();
  await next.append([b]);
  expect(await partition.values()).toEqual([b]);
});

it('appends after confirmations that are decided', async () => {
  const partition = new Partition();
  const log = await partition.own();
  await log.confirm();
  await log.confirm();
  await log.append([a]);
  expect(await partition.values()).toEqual([a]);
});

it('appends nothing if its region may have another custodian', async () => {
  const partition = new Partition();
  const revoked = new Error('revoked');
  const log = await partition.own(() => Promise.reject(revoked));
  await expect(log.append([a])).rejects.toBe(revoked);
  expect(await partition.values()).toEqual([]);
});
