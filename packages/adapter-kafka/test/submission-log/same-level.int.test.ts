import { FORMAT_LEVEL, TOPICS } from '@residency/contracts';
import { eventually, settlementsOf } from '@residency/testkit';
import type { Consumer, PartitionAssigner } from 'kafkajs';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { PartitionAssigners } from '../../src/kafkajs/kafkajs.ts';
import { assignerOf } from '../../src/submission-log/same-level.ts';
import { routerGroup, topicName } from '../../src/topic-name.ts';
import { text } from '../some-kafka.ts';
import { SHORT, someIntake } from './some-intake.ts';
import type { SomeIntake } from './some-intake.ts';

let some: SomeIntake;
let other: Consumer | undefined;
beforeEach(async () => {
  some = await someIntake({ partitions: 1 });
});
afterEach(async () => {
  await other?.disconnect();
  other = undefined;
  await some.close();
});

/** A member of the routers' group with another assigner, as another release has it. */
async function otherRelease(assigner: PartitionAssigner): Promise<void> {
  const { topicPrefix } = some.settings;
  other = some.kafka.consumer({
    groupId: routerGroup(topicPrefix),
    partitionAssigners: [assigner],
  });
  await other.connect();
  await other.subscribe({ topics: [topicName(topicPrefix, TOPICS.samples)] });
  await other.run({ eachMessage: async () => undefined });
}

it.each<[string, PartitionAssigner]>([
  ['a lower level', assignerOf(FORMAT_LEVEL - 1)],
  ['a higher level', assignerOf(FORMAT_LEVEL + 1)],
  ['a release without levels', PartitionAssigners.roundRobin],
])(
  'a router waits while its group has a member of %s, and works once that is gone',
  async (_, assigner) => {
    await some.publish([text('sample', '1')]);
    await otherRelease(assigner);
    const stop = new AbortController();
    const codes = new Set<string>();
    const consuming = (await some.openLog())
      .submissionLog({ ...SHORT, onRetry: (error) => codes.add(error.code) })
      .consume(async (batch) => ({ settlements: settlementsOf(batch) }), {
        until: 'aborted',
        signal: stop.signal,
      });
    await eventually(() => Promise.resolve(codes.has('GROUP_MIXED') || undefined));
    expect(await some.auditEvents()).toEqual([]);
    await other?.disconnect();
    other = undefined;
    await eventually(async () => (await some.auditEvents()).length === 1 || undefined);
    stop.abort();
    await consuming;
  },
);
