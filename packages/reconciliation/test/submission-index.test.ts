import { sha256 } from '@residency/contracts';
import { describe, expect, it } from 'vitest';
import { SubmissionIndex } from '../src/submission-index.ts';

const id = (n: number) => sha256(Buffer.from(`${n}`));

describe('the submission index', () => {
  it('holds 200,000 identities in two sites, under 130 bytes each, without losing one', () => {
    const index = new SubmissionIndex(3);
    const count = 200_000;
    for (let i = 0; i < count; i += 1) {
      index.addListed(id(i), 0);
      index.addListed(id(i), 1);
    }
    for (let i = 0; i < count; i += 2)
      index.addStored(id(i), { partition: 1, offset: BigInt(i) }, [0, 1]);
    expect(index.bytes / count).toBeLessThan(130);
    const left = [...index.unclaimed()];
    expect(left).toHaveLength(count / 2);
    expect(new Set(left.map(({ submission }) => submission))).toEqual(
      new Set(Array.from({ length: count / 2 }, (_, i) => id(2 * i + 1))),
    );
    expect(index.isStoredAt(id(0), { partition: 1, offset: 0n })).toBe(true);
    expect(index.isStoredAt(id(0), { partition: 0, offset: 0n })).toBe(false);
    expect(index.isStoredAt(id(1), { partition: 1, offset: 1n })).toBe(false);
  });

  it('counts an object listed twice once', () => {
    const index = new SubmissionIndex(1);
    expect([index.addListed(id(1), 0), index.addListed(id(1), 0)]).toEqual([true, false]);
  });

  it('distinguishes sites, however many there are', () => {
    const index = new SubmissionIndex(128);
    for (let site = 0; site < 128; site += 1) index.addListed(id(1), site);
    index.addStored(
      id(1),
      { partition: 0, offset: 0n },
      Array.from({ length: 127 }, (_, site) => site),
    );
    expect([...index.unclaimed()]).toMatchObject([
      { submission: id(1), places: [127], stored: true },
    ]);
  });

  it('finds identities whose first bytes collide', () => {
    const index = new SubmissionIndex(1);
    const ids = Array.from(
      { length: 100 },
      (_, n) => `00000000${n.toString(16).padStart(56, '0')}`,
    );
    for (const one of ids) index.addListed(one, 0);
    expect([...index.unclaimed()].map(({ submission }) => submission).toSorted()).toEqual(ids);
  });
});
