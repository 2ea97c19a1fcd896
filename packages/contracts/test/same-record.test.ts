import { encodeKafkaBinary } from '@residency/cloudevents';
import { expect, it } from 'vitest';
import { TOPICS, differenceOf, encodeAuditEvent, sha256, submissionId } from '../src/index.ts';

const record = (id: string, sample: string, at = 1_000) => ({
  at,
  ...encodeKafkaBinary({
    specversion: '1.0',
    id,
    source: '/s',
    type: 'x',
    datacontenttype: 'application/octet-stream',
    extensions: {},
    data: Buffer.from(sample),
  }),
});
const event = (id: string, sample: string) =>
  encodeAuditEvent({
    position: { log: 'l', topic: TOPICS.samples, partition: 0, offset: 4n },
    at: 1_000,
    outcome: 'duplicate',
    data: {
      previous: null,
      submission: submissionId({ source: '/s', id }),
      sampleSha256: sha256(Buffer.from(sample)),
      sampleBytes: sample.length,
      verdict: 'malicious',
      country: 'CH',
      consentId: 'consent-0001',
      termsVersion: '1',
      decision: {
        region: 'zurich',
        rule: 'r',
        policy: { id: 'p', version: 1, digest: 'a'.repeat(64) },
      },
      of: 'l/threat.samples/0/1',
    },
  });

it("a record is an event's if time, submission and sample agree", () => {
  expect(differenceOf(event('a', 'one'), record('a', 'one'))).toBeUndefined();
});

it.each([
  [record('a', 'one', 1_001), /appended at .*01\.001Z, not at .*01\.000Z/],
  [record('b', 'one'), /another submission/],
  [record('a', 'three'), /another length/],
  [record('a', 'two'), /another sample/],
])('otherwise the differing member is returned', (other, said) => {
  expect(differenceOf(event('a', 'one'), other)).toMatch(said);
});

it("a record that this release cannot read counts as the event's if the time agrees", () => {
  expect(
    differenceOf(event('a', 'one'), { at: 1_000, headers: [], value: Buffer.from('no event') }),
  ).toBeUndefined();
  expect(differenceOf(Buffer.from('{}'), record('a', 'one'))).toBeUndefined();
});
