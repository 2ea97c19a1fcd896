import { topicPlan } from '@residency/adapter-kafka';
import asyncapi from '@asyncapi/specs';
import { expect, test } from 'vitest';
import { document, draft7, leadsNowhere, references } from './documents.ts';

interface Channel {
  readonly address: string;
  readonly bindings: {
    readonly kafka: {
      readonly partitions?: number;
      readonly topicConfiguration: Readonly<Record<string, unknown>>;
    };
  };
}

const described = document('asyncapi.yaml');
const channels = Object.values(described['channels'] as Record<string, Channel>);

test('asyncapi.yaml is valid under the published schema of AsyncAPI 3.0.0', () => {
  const ajv = draft7();
  const published: object = asyncapi.schemas['3.0.0'];
  ajv.validate(published, described);
  expect(ajv.errors).toBeNull();
});

test('every reference in asyncapi.yaml resolves', () => {
  const dangling = references(described).filter((reference) => leadsNowhere(described, reference));
  expect(dangling).toEqual([]);
});

test('asyncapi.yaml names each topic with the settings that the code creates it with', () => {
  const PARTITIONS = 7;
  const plan = topicPlan({ partitions: PARTITIONS, replicationFactor: 3, regions: ['{region}'] });
  expect(channels.map(({ address }) => address).toSorted()).toEqual(
    plan.map(({ topic }) => topic).toSorted(),
  );
  for (const { address, bindings } of channels) {
    const planned = plan.find(({ topic }) => topic === address);
    expect([address, bindings.kafka.partitions ?? PARTITIONS]).toEqual([
      address,
      planned?.partitions,
    ]);
    for (const [name, value] of Object.entries(bindings.kafka.topicConfiguration)) {
      const stated = planned?.settings.find((setting) => setting.name === name);
      expect([address, name, String(value)]).toEqual([address, name, stated?.value]);
    }
  }
});
