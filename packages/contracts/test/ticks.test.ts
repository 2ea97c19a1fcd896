import { decodeKafka } from '@residency/cloudevents';
import { expect, it } from 'vitest';
import { TOPICS, consentTick, policyEntry, policyTick, readPolicyRecord } from '../src/index.ts';
import { CONSENT_TICK, POLICY_PUBLISHED, POLICY_TICK } from '../src/vocabulary.ts';

it('ticks of a log have one key, so that compaction keeps only the last', () => {
  expect(
    [consentTick('1'), consentTick('2'), policyTick('1'), policyTick('2')].map(({ record }) =>
      record.key?.toString(),
    ),
  ).toEqual(['tick', 'tick', 'tick', 'tick']);
});

it("a tick says which log's watermark it moves and carries nothing", () => {
  for (const [entry, topic, type] of [
    [consentTick('7'), TOPICS.consents, CONSENT_TICK],
    [policyTick('7'), TOPICS.policy, POLICY_TICK],
  ] as const) {
    expect(entry.topic).toBe(topic);
    const event = decodeKafka(entry.record);
    expect(event).toMatchObject({ id: '7', type });
    expect(event.data).toBeUndefined();
  }
});

it('a policy record is read as the version it holds, and a tick, a tombstone or anything else as none', () => {
  const document = {
    id: 'p',
    version: 1,
    effectiveFrom: '2018-01-01',
    regions: [{ id: 'zurich', sites: ['zrh-1'] }],
    rules: [
      {
        id: 'r',
        region: 'zurich',
        from: '2018-01-01',
        countries: ['CH'],
        basis: 'named',
        confidence: 'stated',
        cites: ['GTI §1'],
      },
    ],
  } as const;
  const { record } = policyEntry(document, 'e');
  expect(readPolicyRecord({ ...record, at: 5 })).toMatchObject({ document, appendedAt: 5 });
  const broken = {
    key: record.key,
    headers: record.headers,
    value: Buffer.from(
      JSON.stringify({
        specversion: '1.0',
        id: '1',
        source: '/x',
        type: POLICY_PUBLISHED,
        data: {},
      }),
    ),
  };
  for (const other of [
    policyTick('1').record,
    { key: null, headers: [], value: null },
    { key: null, headers: [], value: Buffer.from('x') },
    broken,
    // Compaction would remove it.
    { ...record, key: Buffer.from('tick') },
  ])
    expect(readPolicyRecord({ ...other, at: 5 })).toBeUndefined();
});
