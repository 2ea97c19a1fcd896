import { EventEmitter } from 'node:events';
import type { Kafka } from 'kafkajs';
import { expect, it } from 'vitest';
import { GroupMember } from '../../src/submission-log/group-member.ts';

const EVENTS = {
  GROUP_JOIN: 'join',
  REBALANCING: 'rebalancing',
  END_BATCH_PROCESS: 'end',
  FETCH: 'fetch',
  HEARTBEAT: 'heartbeat',
  CRASH: 'crash',
};

it('is outside its group from the start of a rebalance until it has joined', async () => {
  const consumer = Object.assign(new EventEmitter(), {
    events: EVENTS,
    connect: async () => undefined,
    subscribe: async () => undefined,
    run: async () => undefined,
    pause: () => undefined,
  });
  const kafka = { consumer: () => consumer } as unknown as Kafka;
  const member = new GroupMember(kafka, {
    group: 'routers',
    topic: 'samples',
    options: { sessionTimeoutMs: 6_000, heartbeatIntervalMs: 1_000, maxBatchBytes: 1 },
  });
  let rebalances = 0;
  await member.start({
    joined: () => undefined,
    rebalancing: () => {
      rebalances += 1;
    },
    fetched: () => ({ taken: false, room: Promise.resolve() }),
    skipped: () => undefined,
  });
  const joined = { payload: { memberAssignment: { samples: [0] } } };
  consumer.emit('join', joined);
  expect(member.rejoiningSince).toBeUndefined();
  consumer.emit('rebalancing');
  const since = member.rejoiningSince;
  expect(since).toBeTypeOf('number');
  // kafkajs goes on as before if the join fails after the group has answered.
  consumer.emit('fetch');
  consumer.emit('heartbeat');
  consumer.emit('rebalancing');
  expect([member.rejoiningSince, rebalances]).toEqual([since, 2]);
  consumer.emit('join', joined);
  expect(member.rejoiningSince).toBeUndefined();
});
