import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  MAX_TREE_SIZE,
  consistencyProof,
  emptyRoot,
  inclusionProof,
  leafHash,
  verifyConsistency,
  verifyInclusion,
} from '../src/index.ts';
import type { TreeHead } from '../src/index.ts';
import { NaiveTree, entriesUpTo, fromHex, hex } from './naive-tree.ts';
import { bitFlips, codeOf } from './rejects.ts';
import { RFC6962 } from './rfc6962-vectors.ts';

const tree = new NaiveTree(entriesUpTo(600));
const headOf = (size: number): TreeHead => ({ size, root: tree.root(0, size) });
const leafOf = (index: number) => leafHash(tree.entries[index] ?? new Uint8Array());

describe('the proofs of Certificate Transparency', () => {
  const published = new NaiveTree(RFC6962.leaves.map(fromHex));
  const [leaves, pairs, fours] = RFC6962.nodes;
  // As in merkle_tree_test.cc: a leaf or the older size, the newer size, the proof.
  it.each([
    [0, 1, []],
    [0, 8, [leaves[1], pairs[1], fours[1]]],
    [5, 8, [leaves[4], pairs[3], fours[0]]],
    [2, 3, [pairs[0]]],
    [1, 5, [leaves[0], pairs[1], leaves[4]]],
  ])('leaf %i in a tree of %i', async (index, size, proof) => {
    expect((await inclusionProof(size, index, published.read)).map(hex)).toEqual(proof);
    verifyInclusion(
      { size, root: fromHex(RFC6962.roots[size] ?? '') },
      index,
      fromHex(leaves[index] ?? ''),
      proof.map(fromHex),
    );
  });

  it.each([
    [1, 1, []],
    [1, 8, [leaves[1], pairs[1], fours[1]]],
    [6, 8, [pairs[2], pairs[3], fours[0]]],
    [2, 5, [pairs[1], leaves[4]]],
  ])('from size %i to size %i', async (older, newer, proof) => {
    expect((await consistencyProof(older, newer, published.read)).map(hex)).toEqual(proof);
    verifyConsistency(
      { size: older, root: fromHex(RFC6962.roots[older] ?? '') },
      { size: newer, root: fromHex(RFC6962.roots[newer] ?? '') },
      proof.map(fromHex),
    );
  });
});

describe('an inclusion proof', () => {
  it('is the naive one and verifies, for every leaf of every small tree', async () => {
    for (let size = 1; size <= 70; size += 1) {
      for (let index = 0; index < size; index += 1) {
        const proof = await inclusionProof(size, index, tree.read);
        expect(proof.map(hex)).toEqual(tree.path(index, size).map(hex));
        verifyInclusion(headOf(size), index, leafOf(index), proof);
      }
    }
  });

  it('is the naive one and verifies, in larger trees', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 600 }), fc.nat(), async (size, at) => {
        const proof = await inclusionProof(size, at % size, tree.read);
        expect(proof.map(hex)).toEqual(tree.path(at % size, size).map(hex));
        verifyInclusion(headOf(size), at % size, leafOf(at % size), proof);
      }),
      { numRuns: 300 },
    );
  });

  it('proves no other leaf, no other index and no other size', async () => {
    for (const [size, index] of [
      [7, 2],
      [8, 5],
      [13, 12],
      [64, 0],
    ] as const) {
      const proof = await inclusionProof(size, index, tree.read);
      for (let other = 0; other < 70; other += 1) {
        const same = [other === index, other === index, other === size];
        const codes = [
          await codeOf(() => verifyInclusion(headOf(size), other, leafOf(index), proof)),
          await codeOf(() => verifyInclusion(headOf(size), index, leafOf(other), proof)),
          await codeOf(() => verifyInclusion(headOf(other), index, leafOf(index), proof)),
        ];
        expect([size, index, other, codes.map((code) => code === 'accepted')]).toEqual([
          size,
          index,
          other,
          same,
        ]);
      }
    }
  });

  it('is rejected with any bit flipped in a hash, in the leaf and in the root', async () => {
    const proof = await inclusionProof(11, 6, tree.read);
    for (const [at, hash] of proof.entries()) {
      for (const flipped of bitFlips(hash))
        expect(
          await codeOf(() => verifyInclusion(headOf(11), 6, leafOf(6), proof.with(at, flipped))),
        ).toBe('ROOT_MISMATCH');
    }
    for (const flipped of bitFlips(leafOf(6)))
      expect(await codeOf(() => verifyInclusion(headOf(11), 6, flipped, proof))).toBe(
        'ROOT_MISMATCH',
      );
    for (const root of bitFlips(headOf(11).root))
      expect(await codeOf(() => verifyInclusion({ size: 11, root }, 6, leafOf(6), proof))).toBe(
        'ROOT_MISMATCH',
      );
  });

  it('answers INVALID_PROOF to a hash too many, too few or of another length', async () => {
    const proof = await inclusionProof(11, 6, tree.read);
    for (const wrong of [
      proof.slice(1),
      proof.slice(0, -1),
      [...proof, emptyRoot()],
      [],
      proof.with(0, new Uint8Array(31)),
      proof.with(3, new Uint8Array(33)),
    ]) {
      expect(await codeOf(() => verifyInclusion(headOf(11), 6, leafOf(6), wrong))).toBe(
        'INVALID_PROOF',
      );
    }
    expect(await codeOf(() => verifyInclusion(headOf(11), 6, new Uint8Array(31), proof))).toBe(
      'INVALID_PROOF',
    );
  });

  it.each([-1, 0.5, Number.NaN, Infinity, 2 ** 53, 11])(
    'answers INVALID_PROOF to index %d of 11 leaves, and makes none',
    async (index) => {
      expect(await codeOf(() => verifyInclusion(headOf(11), index, leafOf(6), []))).toBe(
        'INVALID_PROOF',
      );
      expect(await codeOf(() => inclusionProof(11, index, tree.read))).toBe('INVALID_SIZE');
    },
  );

  it.each([-1, 1.5, Number.NaN, Infinity, 2 ** 53])(
    'answers INVALID_CHECKPOINT to a tree of %d leaves, and makes no proof',
    async (size) => {
      expect(
        await codeOf(() => verifyInclusion({ size, root: emptyRoot() }, 0, leafOf(0), [])),
      ).toBe('INVALID_CHECKPOINT');
      expect(await codeOf(() => inclusionProof(size, 0, tree.read))).toBe('INVALID_SIZE');
    },
  );

  it('has at most 53 hashes in the largest tree, and is judged there too', async () => {
    const proof = await inclusionProof(MAX_TREE_SIZE, 5, async () => emptyRoot());
    expect(proof).toHaveLength(53);
    expect(
      await codeOf(() =>
        verifyInclusion({ size: MAX_TREE_SIZE, root: emptyRoot() }, 5, emptyRoot(), proof),
      ),
    ).toBe('ROOT_MISMATCH');
  });
});

describe('a consistency proof', () => {
  it('is the naive one and verifies, between every two small sizes', async () => {
    for (let newer = 0; newer <= 70; newer += 1) {
      for (let older = 0; older <= newer; older += 1) {
        const proof = await consistencyProof(older, newer, tree.read);
        expect(proof.map(hex)).toEqual(tree.proof(older, newer).map(hex));
        verifyConsistency(headOf(older), headOf(newer), proof);
      }
    }
  });

  it('is the naive one and verifies, between larger sizes', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(600), fc.nat(600), async (one, other) => {
        const [older, newer] = [Math.min(one, other), Math.max(one, other)];
        const proof = await consistencyProof(older, newer, tree.read);
        expect(proof.map(hex)).toEqual(tree.proof(older, newer).map(hex));
        verifyConsistency(headOf(older), headOf(newer), proof);
      }),
      { numRuns: 300 },
    );
  });

  it('is rejected with any bit flipped in a hash or in either root', async () => {
    for (const [older, newer] of [
      [6, 11],
      [8, 13],
      [1, 2],
    ] as const) {
      const proof = await consistencyProof(older, newer, tree.read);
      for (const [at, hash] of proof.entries()) {
        for (const flipped of bitFlips(hash))
          expect(
            await codeOf(() =>
              verifyConsistency(headOf(older), headOf(newer), proof.with(at, flipped)),
            ),
          ).toBe('INCONSISTENT');
      }
      for (const root of bitFlips(headOf(older).root))
        expect(
          await codeOf(() => verifyConsistency({ size: older, root }, headOf(newer), proof)),
        ).toBe('INCONSISTENT');
      for (const root of bitFlips(headOf(newer).root))
        expect(
          await codeOf(() => verifyConsistency(headOf(older), { size: newer, root }, proof)),
        ).toBe('INCONSISTENT');
    }
  });

  it('does not prove a tree in which an old entry was changed', async () => {
    const changed = new NaiveTree(tree.entries.slice(0, 20).with(3, Uint8Array.of(1)));
    expect(
      await codeOf(async () =>
        verifyConsistency(
          headOf(9),
          { size: 20, root: changed.root() },
          await consistencyProof(9, 20, changed.read),
        ),
      ),
    ).toBe('INCONSISTENT');
  });

  it('answers INCONSISTENT to one size with two roots, to a smaller size, and to an empty tree with another root', async () => {
    expect(
      await codeOf(() => verifyConsistency(headOf(5), { size: 5, root: tree.root(0, 6) }, [])),
    ).toBe('INCONSISTENT');
    expect(await codeOf(() => verifyConsistency(headOf(6), headOf(5), []))).toBe('INCONSISTENT');
    expect(
      await codeOf(() => verifyConsistency({ size: 0, root: tree.root(0, 1) }, headOf(5), [])),
    ).toBe('INCONSISTENT');
    expect(
      await codeOf(() => verifyConsistency(headOf(0), { size: 0, root: tree.root(0, 1) }, [])),
    ).toBe('INCONSISTENT');
  });

  it('answers INVALID_PROOF to a hash too many, too few or of another length', async () => {
    for (const [older, newer] of [
      [6, 11],
      [8, 13],
      [4, 8],
      [5, 5],
      [0, 5],
      [0, 0],
    ] as const) {
      const proof = await consistencyProof(older, newer, tree.read);
      const wrong = [
        [...proof, emptyRoot()],
        [...proof, new Uint8Array(31)],
        ...(proof.length > 0 ? [proof.slice(1), [], proof.with(0, new Uint8Array(33))] : []),
      ];
      for (const bad of wrong)
        expect([
          older,
          newer,
          await codeOf(() => verifyConsistency(headOf(older), headOf(newer), bad)),
        ]).toEqual([older, newer, 'INVALID_PROOF']);
    }
  });

  it('is not made from a larger size to a smaller one', async () => {
    expect(await codeOf(() => consistencyProof(6, 5, tree.read))).toBe('INVALID_SIZE');
    expect(await codeOf(() => consistencyProof(5, 2 ** 53, tree.read))).toBe('INVALID_SIZE');
  });
});
