import { setTimeout as sleep } from 'node:timers/promises';
import { CodedError } from '@residency/coded-error';
import { TOPICS } from '@residency/contracts';
import type { Batch, BatchResult, Blocked, RouteBatch } from '@residency/routing';
import { eventually, settlementsOf } from '@residency/testkit';
import type { Batch as Fetched, KafkaMessage } from 'kafkajs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { KafkaLogError } from '../../src/kafka-log-error.ts';
import { submissionLogOptions } from '../../src/submission-log/options.ts';
import { PartitionWorker } from '../../src/submission-log/partition-worker.ts';
import type { WorkerDeps } from '../../src/submission-log/partition-worker.ts';
import { Withheld } from '../../src/submission-log/transactional-producer.ts';
import type { Settling } from '../../src/submission-log/transactional-producer.ts';

/** What a commit does instead of committing. */
type Fault = (commit: () => void, settling: Settling) => Promise<void> | void;

const unreachable = (): KafkaLogError =>
  new KafkaLogError({ code: 'KAFKA_UNREACHABLE', remedy: 'retry', message: 'Expected an answer.' });
const fenced = (): KafkaLogError =>
  new KafkaLogError({ code: 'FENCED', remedy: 'retry', message: 'Expected to be the only one.' });

/** A partition of ten records, and a cluster that does what the test says. */
class World {
  settledNext: bigint | null = 0n;
  readonly events: string[] = [];
  readonly handled: BatchResult[] = [];
  readonly transactions: string[] = [];
  readonly retries: string[] = [];
  readonly reached: bigint[] = [];
  readonly faults: Fault[] = [];
  readonly batches: Batch[] = [];
  failure: unknown;
  blocked: Blocked | undefined;
  owners = 0;
  closed = 0;
  heartbeat: () => Promise<void> = () => Promise.resolve();
  route: RouteBatch = (batch) => Promise.resolve({ settlements: settlementsOf(batch) });
  readonly stop = new AbortController();
  readonly worker: PartitionWorker;
  #fetching = false;
  #from = 0n;

  constructor(heartbeatIntervalMs = 50) {
    const deps: WorkerDeps = {
      log: 'log-1',
      stop: this.stop.signal,
      settled: (result) => {
        this.handled.push(result);
      },
      failed: (error) => {
        this.failure = error;
      },
      options: submissionLogOptions({
        maxBatchRecords: 4,
        heartbeatIntervalMs,
        backOff: { firstMs: 1, mostMs: 5 },
        onTransaction: (result) => {
          this.transactions.push(result);
        },
      }),
      route: async (batch) => {
        this.batches.push(batch);
        return await this.route(batch);
      },
      takeOver: () => {
        this.owners += 1;
        const next = this.settledNext ?? 0n;
        return Promise.resolve({
          progress: { settled: next === 0n ? null : next - 1n, next },
          settler: {
            commit: async (settling) => {
              await this.#commit(settling);
              return -1n;
            },
            close: () => {
              this.closed += 1;
              return Promise.resolve();
            },
          },
        });
      },
      flow: {
        resumeAt: (_, offset) => {
          this.#from = offset;
          this.#fetching = true;
        },
        pause: () => {
          this.#fetching = false;
        },
        resume: () => {
          this.#fetching = true;
        },
        heartbeat: async () => {
          await this.heartbeat();
        },
      },
      topicIds: () => Promise.resolve(undefined),
      reached: (_, next) => {
        this.reached.push(next);
      },
      blocked: (blocked) => {
        this.blocked = blocked;
        return true;
      },
      retrying: ({ code }) => {
        this.retries.push(code);
      },
    };
    this.worker = new PartitionWorker(0, deps, Promise.resolve());
  }

  /** As the consumer's loop does, until `condition` holds. */
  async fetchUntil(condition: () => boolean): Promise<void> {
    await eventually(() => {
      if (this.#fetching && this.#from < 10n) this.offer(this.#from, 3);
      return Promise.resolve(condition() || undefined);
    });
  }

  offer(from: bigint, count: number): boolean {
    const messages = Array.from(
      { length: 10 },
      (_, index) =>
        ({
          offset: String(index),
          timestamp: '0',
          attributes: 0,
          key: null,
          headers: [],
          value: Buffer.from(`${index}`),
        }) as unknown as KafkaMessage,
    ).slice(Number(from), Number(from) + count);
    const fetched = {
      messages,
      firstOffset: () => String(from),
      lastOffset: () => String(Number(from) + messages.length - 1),
    } as Fetched;
    const taken = this.worker.accept(fetched);
    if (taken) this.#from = from + BigInt(messages.length);
    return taken;
  }

  async #commit(settling: Settling): Promise<void> {
    const commit = (): void => {
      this.settledNext = settling.next ?? null;
      this.events.push(
        ...settling.sends
          .filter(({ topic }) => topic === TOPICS.audit)
          .flatMap(({ records }) =>
            records.map(({ value }) =>
              (JSON.parse(String(value)) as { sequence: string }).sequence.replace(/^0+(?=\d)/, ''),
            ),
          ),
      );
    };
    const fault = this.faults.shift();
    if (fault !== undefined) return await fault(commit, settling);
    try {
      await settling.beforeCommit();
    } catch (error) {
      throw new Withheld(error);
    }
    commit();
  }
}

let world: World;
beforeEach(() => {
  world = new World();
});
afterEach(async () => {
  world.stop.abort();
  await world.worker.done;
});

const ALL = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9'];
const settlements = (): number =>
  world.handled.reduce((sum, { settlements: { length } }) => sum + length, 0);

describe('a commit', () => {
  it('that failed is made again, by a new owner, from the position it left', async () => {
    world.faults.push(() => {
      throw unreachable();
    });
    await world.fetchUntil(() => world.events.length === 10);
    expect(world.events).toEqual(ALL);
    expect(world.owners).toBe(2);
    expect(world.transactions[0]).toBe('unknown');
    expect(world.retries).toEqual(['KAFKA_UNREACHABLE']);
    expect(settlements()).toBe(10);
  });

  it('that failed but persisted is not made again, and is told of', async () => {
    world.faults.push((commit) => {
      commit();
      throw unreachable();
    });
    await world.fetchUntil(() => world.events.length === 10);
    expect(world.events).toEqual(ALL);
    expect(world.owners).toBe(2);
    expect(settlements()).toBe(10);
  });

  it('with an unknown code is an unknown outcome', async () => {
    world.faults.push(() => {
      throw new KafkaLogError({
        code: 'KAFKA_FAILED',
        remedy: 'stop',
        message: 'Expected what is known.',
      });
    });
    await world.fetchUntil(() => world.events.length === 10);
    expect(world.events).toEqual(ALL);
  });

  it('that was fenced waits for the group to say whose the partition is', async () => {
    const times: number[] = [];
    world.faults.push(() => {
      times.push(performance.now());
      throw fenced();
    });
    await world.fetchUntil(() => world.events.length === 10);
    expect(performance.now() - (times[0] ?? 0)).toBeGreaterThanOrEqual(99);
    expect(world.events).toEqual(ALL);
  });

  it('is withheld where the heartbeat before it fails', async () => {
    let beats = 0;
    world.heartbeat = () => {
      beats += 1;
      return beats === 1 ? Promise.reject(new Error('the group rebalances')) : Promise.resolve();
    };
    await world.fetchUntil(() => world.events.length === 10);
    expect(world.transactions[0]).toBe('abort');
    expect(world.retries).toEqual(['OWNERSHIP_UNSURE']);
    expect(world.events).toEqual(ALL);
  });

  it('that a person must look at goes up', async () => {
    const error = new KafkaLogError({
      code: 'RECORD_TOO_LARGE',
      remedy: 'stop',
      message: 'Expected smaller records.',
    });
    world.faults.push(() => {
      throw error;
    });
    await world.fetchUntil(() => world.failure !== undefined);
    expect(world.failure).toBe(error);
    await world.worker.done;
  });
});

describe('a batch that is placed while the one before it commits', () => {
  /** Holds the first commit until it is released. */
  function holdFirstCommit(then: Fault): () => void {
    const { promise, resolve } = Promise.withResolvers<void>();
    world.faults.push(async (commit, settling) => {
      await promise;
      await then(commit, settling);
    });
    return resolve;
  }
  const firstsOf = (batches: readonly Batch[]): readonly unknown[] =>
    batches.map(({ previous, records }) => [previous, records[0]?.offset]);

  it('settles after it, and names its last record as the previous one', async () => {
    const release = holdFirstCommit((commit) => {
      expect(world.events).toEqual([]);
      commit();
    });
    await world.fetchUntil(() => world.batches.length === 2);
    await sleep(20);
    expect(firstsOf(world.batches)).toEqual([
      [null, 0n],
      [2n, 3n],
    ]);
    expect([world.events, world.handled, [...new Set(world.reached)]]).toEqual([[], [], [0n]]);
    release();
    await world.fetchUntil(() => world.events.length === 10);
    expect(world.events).toEqual(ALL);
    expect(world.owners).toBe(1);
  });

  it('is dropped and comes again if that commit fails', async () => {
    const release = holdFirstCommit(() => {
      throw unreachable();
    });
    await world.fetchUntil(() => world.batches.length === 2);
    release();
    await world.fetchUntil(() => world.events.length === 10);
    expect(world.events).toEqual(ALL);
    expect(firstsOf(world.batches.slice(2, 3))).toEqual([[null, 0n]]);
    expect([world.owners, settlements()]).toEqual([2, 10]);
  });

  it('comes again after it if that commit failed but persisted', async () => {
    const release = holdFirstCommit((commit) => {
      commit();
      throw unreachable();
    });
    await world.fetchUntil(() => world.batches.length === 2);
    release();
    await world.fetchUntil(() => world.events.length === 10);
    expect(world.events).toEqual(ALL);
    expect(firstsOf(world.batches.slice(2, 3))).toEqual([[2n, 3n]]);
    expect([world.owners, settlements()]).toEqual([2, 10]);
  });

  it('does not begin before it if that one was blocked', async () => {
    const error = new CodedError({ code: 'SITE_DOWN', message: 'Expected it.', remedy: 'retry' });
    world.route = (batch) =>
      Promise.resolve(
        world.batches.length === 1
          ? {
              settlements: settlementsOf(batch, 2),
              blocked: { offset: batch.records[2]?.offset ?? -1n, error },
            }
          : { settlements: settlementsOf(batch) },
      );
    const release = holdFirstCommit((commit) => {
      expect(world.batches).toHaveLength(1);
      commit();
    });
    await world.fetchUntil(() => world.batches.length === 1);
    await sleep(20);
    release();
    await world.fetchUntil(() => world.events.length === 10);
    expect(world.events).toEqual(ALL);
  });

  it('is given up with the process only after that commit ended', async () => {
    const release = holdFirstCommit((commit) => {
      commit();
    });
    await world.fetchUntil(() => world.batches.length === 2);
    world.stop.abort();
    await sleep(20);
    expect([world.closed, world.events]).toEqual([0, []]);
    release();
    await world.worker.done;
    expect(world.closed).toBe(1);
    expect(world.events).toEqual(ALL.slice(0, world.events.length));
    expect(settlements()).toBe(world.events.length);
  });

  it('that a person must look at goes up after that commit ended', async () => {
    const error = new CodedError({ code: 'LOG_REWOUND', message: 'Expected it.', remedy: 'stop' });
    world.route = async (batch) =>
      await (batch.previous === null
        ? Promise.resolve({ settlements: settlementsOf(batch) })
        : Promise.reject(error));
    const release = holdFirstCommit((commit) => {
      commit();
    });
    await world.fetchUntil(() => world.batches.length === 2);
    await sleep(20);
    expect([world.closed, world.failure]).toEqual([0, undefined]);
    release();
    await world.worker.done;
    expect(world.failure).toBe(error);
    expect([world.events, settlements()]).toEqual([ALL.slice(0, 3), 3]);
  });
});

it('a batch of which nothing could be settled is not asked for again and again', async () => {
  const error = new CodedError({ code: 'SITE_DOWN', message: 'Expected it.', remedy: 'retry' });
  world.route = (batch) =>
    Promise.resolve(
      world.batches.length === 1
        ? { settlements: [], blocked: { offset: batch.records[0]?.offset ?? -1n, error } }
        : { settlements: settlementsOf(batch) },
    );
  await world.fetchUntil(() => world.events.length === 10);
  const before = world.reached.length;
  await sleep(20);
  // Nothing moved: nothing was looked at.
  expect(world.reached).toHaveLength(before);
});

describe('a partition that is taken away', () => {
  it('settles nothing of the batch in hand, which is told at once', async () => {
    world.route = async (batch) => {
      world.worker.lose();
      expect(batch.signal.aborted).toBe(true);
      return await Promise.resolve({ settlements: settlementsOf(batch) });
    };
    await world.fetchUntil(() => world.batches.length === 1);
    await world.worker.done;
    expect(world.events).toEqual([]);
    expect(world.handled).toEqual([]);
  });

  it('withholds a commit that was under way', async () => {
    world.heartbeat = () => {
      world.worker.lose();
      return Promise.resolve();
    };
    await world.fetchUntil(() => world.transactions.length === 1);
    await world.worker.done;
    expect(world.transactions).toEqual(['abort']);
    expect(world.events).toEqual([]);
  });

  it('takes no records any more', async () => {
    await world.fetchUntil(() => world.events.length === 10);
    world.worker.lose();
    await world.worker.done;
    expect(world.offer(9n, 1)).toBe(false);
  });
});

describe('a process that stops', () => {
  it('finishes the batch in hand and begins no other', async () => {
    world.route = (batch) => {
      world.stop.abort();
      return Promise.resolve({ settlements: settlementsOf(batch) });
    };
    await world.fetchUntil(() => world.batches.length === 1);
    await world.worker.done;
    expect(world.events).toEqual(ALL.slice(0, 3));
    expect(world.batches).toHaveLength(1);
  });

  it('ends where the router gives the batch up', async () => {
    world.route = (batch) => {
      world.stop.abort();
      return Promise.reject(batch.signal.reason);
    };
    await world.fetchUntil(() => world.batches.length === 1);
    await world.worker.done;
    expect(world.failure).toBeUndefined();
    expect(world.events).toEqual([]);
  });
});

describe('what is handed over', () => {
  it('comes again from the first record not settled where it was blocked', async () => {
    const error = new CodedError({
      code: 'SITE_DOWN',
      message: 'Expected a site that answers.',
      remedy: 'retry',
    });
    world.route = (batch) =>
      Promise.resolve(
        world.batches.length < 3
          ? {
              settlements: settlementsOf(batch, 1),
              blocked: { offset: batch.records[1]?.offset ?? -1n, error },
            }
          : { settlements: settlementsOf(batch) },
      );
    await world.fetchUntil(() => world.events.length === 10);
    expect(world.blocked?.error).toBe(error);
    expect(
      world.batches.slice(0, 3).map(({ previous, records }) => [previous, records[0]?.offset]),
    ).toEqual([
      [null, 0n],
      [0n, 1n],
      [1n, 2n],
    ]);
    expect(world.events).toEqual(ALL);
  });

  it('is fetched again where later records came than were asked for', async () => {
    await eventually(() => Promise.resolve(world.worker.waiting !== undefined || undefined));
    expect(world.offer(5n, 3)).toBe(false);
    await eventually(() => Promise.resolve(world.owners === 2 || undefined));
    expect(world.retries).toEqual(['FETCHED_AHEAD']);
    await world.fetchUntil(() => world.events.length === 10);
    expect(world.events).toEqual(ALL);
  });

  it('leaves out what came before the position', async () => {
    await eventually(() => Promise.resolve(world.worker.waiting !== undefined || undefined));
    expect(world.offer(0n, 3)).toBe(true);
    expect(world.offer(1n, 4)).toBe(true);
    await world.fetchUntil(() => world.events.length === 10);
    expect(world.events).toEqual(ALL);
  });

  it('is settled as a whole or not at all where the result is no prefix of it', async () => {
    world.route = (batch) => Promise.resolve({ settlements: settlementsOf(batch).slice(1) });
    await world.fetchUntil(() => world.failure !== undefined);
    expect(world.failure).toMatchObject({ code: 'SETTLEMENT_INVALID', remedy: 'stop' });
    expect(world.events).toEqual([]);
  });
});

it('passes over markers and aborted records, and says how far it is', async () => {
  await world.fetchUntil(() => world.events.length === 10);
  await eventually(() => Promise.resolve(world.worker.waiting !== undefined || undefined));
  expect(world.worker.waiting?.from).toBe(10n);
  world.worker.skip(10n, 14n);
  await eventually(() => Promise.resolve(world.reached.at(-1) === 15n || undefined));
  // Not what comes after something that was not fetched.
  world.worker.skip(20n, 21n);
  expect(world.worker.waiting?.from).toBe(15n);
});
