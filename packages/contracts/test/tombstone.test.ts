import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  decodeObjectMetadata,
  encodeObjectMetadata,
  formatPosition,
  objectKey,
  sha256,
  tombstoneBytes,
  tombstoneOf,
} from '../src/index.ts';
import { hex64, storedEvents } from './arbitraries.ts';

const SUBMISSION = '2ba52bfcbe6949e6f632ce993ff2fbbbbff1d8a0ef647dafdc7009a51720ecbd';
const ORDER = '3f9d2c1a-6b7e-4d58-9a0c-1e2f3a4b5c6d';

describe('a tombstone', () => {
  it('has the documented bytes', () => {
    const bytes = tombstoneBytes(SUBMISSION, ORDER);
    expect(bytes.toString()).toBe(`{"erased":"${ORDER}","submission":"${SUBMISSION}"}\n`);
    expect(sha256(bytes)).toBe('dbbcc21292acc3379b555aa1a45e2297a781d8b74a70b2f736970f762644e0d9');
  });

  it("has the sample's key, and the metadata of its stored event with the order", () => {
    fc.assert(
      fc.property(storedEvents, fc.uuid(), (stored, order) => {
        const { submission, sampleSha256, country, decision, placements, arbiter } = stored.data;
        const { key, bytes, metadata } = tombstoneOf(stored, order);
        expect(key).toBe(objectKey(submission));
        expect(bytes).toEqual(tombstoneBytes(submission, order));
        expect(metadata).toEqual({
          position: formatPosition(stored.position),
          sampleSha256,
          country,
          policyDigest: decision.policy.digest,
          sealedSha256: sha256(bytes),
          wrappingKey: placements[0]?.wrappingKey,
          ...(arbiter === undefined ? {} : { arbiter }),
          erased: order,
        });
        expect(decodeObjectMetadata(encodeObjectMetadata(metadata))).toEqual(metadata);
      }),
    );
  });

  it('has other bytes for another order, and for another submission', () => {
    fc.assert(
      fc.property(hex64, hex64, fc.uuid(), fc.uuid(), (submission, other, order, later) => {
        fc.pre(submission !== other && order !== later);
        const bytes = tombstoneBytes(submission, order);
        expect(tombstoneBytes(submission, later)).not.toEqual(bytes);
        expect(tombstoneBytes(other, order)).not.toEqual(bytes);
      }),
    );
  });
});
