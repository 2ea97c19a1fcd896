import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { CompactRange } from '../src/index.ts';
import {
  EMPTY_RANGE,
  MAX_TREE_SIZE,
  appendHashes,
  emptyRoot,
  leafHash,
  nodeHash,
  rootOf,
} from '../src/index.ts';
import { RFC6962 } from './rfc6962-vectors.ts';
import { NaiveTree, entriesUpTo, fromHex, hex } from './naive-tree.ts';
import { codeOf } from './rejects.ts';

describe('the tree of Certificate Transparency', () => {
  it('hashes leaves, nodes and nothing as RFC 6962 says', () => {
    expect(hex(emptyRoot())).toBe(RFC6962.roots[0]);
    expect(RFC6962.leaves.map((leaf) => hex(leafHash(fromHex(leaf))))).toEqual(RFC6962.nodes[0]);
    const [, pairs] = RFC6962.nodes;
    expect(hex(nodeHash(fromHex(pairs[0]), fromHex(pairs[1])))).toBe(RFC6962.nodes[2]?.[0]);
  });

  it('has the published root at every size, appended one by one or at once', () => {
    const hashes = RFC6962.leaves.map((leaf) => leafHash(fromHex(leaf)));
    let range: CompactRange = EMPTY_RANGE;
    const roots = [
      hex(rootOf(range)),
      ...hashes.map((hash) => hex(rootOf((range = appendHashes(range, [hash]))))),
    ];
    expect(roots).toEqual(RFC6962.roots);
    expect(
      roots.map((_, size) => hex(rootOf(appendHashes(EMPTY_RANGE, hashes.slice(0, size))))),
    ).toEqual(RFC6962.roots);
  });
});

describe('a compact range', () => {
  it('has the naive root at every size up to 600, with one node for each bit set in the size', () => {
    const tree = new NaiveTree(entriesUpTo(600));
    let range: CompactRange = EMPTY_RANGE;
    for (const [index, entry] of tree.entries.entries()) {
      range = appendHashes(range, [leafHash(entry)]);
      expect([index, hex(rootOf(range))]).toEqual([index, hex(tree.root(0, index + 1))]);
      expect(range.nodes).toHaveLength(range.size.toString(2).replaceAll('0', '').length);
    }
  });

  it('has the naive root at larger sizes, however the leaves come in batches', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(700), { maxLength: 8 }), (batches) => {
        const entries = entriesUpTo(batches.reduce((sum, batch) => sum + batch, 0));
        let range: CompactRange = EMPTY_RANGE;
        for (const batch of batches)
          range = appendHashes(range, entries.slice(range.size, range.size + batch).map(leafHash));
        expect(hex(rootOf(range))).toBe(hex(new NaiveTree(entries).root()));
      }),
      { numRuns: 25 },
    );
  });

  it('is not changed by appending to it', () => {
    const before = appendHashes(EMPTY_RANGE, [leafHash(new Uint8Array())]);
    appendHashes(before, [leafHash(Uint8Array.of(1))]);
    expect(before).toEqual(appendHashes(EMPTY_RANGE, [leafHash(new Uint8Array())]));
  });

  it('answers INVALID_SIZE when it is full, and when its nodes do not fit its size', async () => {
    const hash = leafHash(new Uint8Array());
    expect(
      await codeOf(() =>
        appendHashes({ size: MAX_TREE_SIZE, nodes: Array.from({ length: 53 }, () => hash) }, [
          hash,
        ]),
      ),
    ).toBe('INVALID_SIZE');
    expect(await codeOf(() => appendHashes({ size: 3, nodes: [hash] }, [hash]))).toBe(
      'INVALID_SIZE',
    );
  });
});
