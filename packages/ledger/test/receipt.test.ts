import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  MAX_RECEIPT_BYTES,
  formatReceipt,
  inclusionProof,
  makeKey,
  openSignerKey,
  parseReceipt,
  parseVerifierKey,
  signCheckpoint,
  verifyReceipt,
} from '../src/index.ts';
import type { Trust } from '../src/index.ts';
import { GO } from './go-vectors.ts';
import { MemoryLedger } from './memory-ledger.ts';
import { bytesOf, entriesUpTo, fromHex, hex } from './naive-tree.ts';
import { bitFlips, codeOf } from './rejects.ts';
import { RFC6962 } from './rfc6962-vectors.ts';

const base64 = (digits: string) => Buffer.from(digits, 'hex').toString('base64');
const [leaves, pairs, fours] = RFC6962.nodes;
const PROOF = `${base64(leaves[4])}\n${base64(pairs[3])}\n${base64(fours[0])}\n`;
const CHECKPOINT = `${GO.text}\n${GO.logLine}${GO.witnessLine}`;
/** Leaf 5 of the eight, written by hand as tlog-proof says; the checkpoint was made with Go. */
const RECEIPT = `c2sp.org/tlog-proof@v1\nindex 5\n${PROOF}\n${CHECKPOINT}`;
const ENTRY = fromHex(RFC6962.leaves[5]);
const trust: Trust = {
  keys: [parseVerifierKey(GO.logVerifier)],
  witnesses: { keys: [parseVerifierKey(GO.witnessVerifier)], quorum: 1 },
};
const verify = (receipt: string, entry = ENTRY) => verifyReceipt(bytesOf(receipt), entry, trust);

describe('a receipt', () => {
  it('proves its entry offline: under which checkpoint, and which witnesses saw it', async () => {
    expect(await verify(RECEIPT)).toEqual({
      index: 5,
      checkpoint: {
        origin: 'ledger.example/audit',
        size: 8,
        root: fromHex(RFC6962.roots[8]),
        extensions: [],
      },
      cosignatures: [{ witness: GO.witnessName, time: GO.witnessTime }],
    });
  });

  it('is written as the specification says', () => {
    const proof = [leaves[4], pairs[3], fours[0]].map(fromHex);
    expect(
      Buffer.from(formatReceipt({ index: 5, proof, checkpoint: bytesOf(CHECKPOINT) })).toString(),
    ).toBe(RECEIPT);
    expect(
      Buffer.from(
        formatReceipt({
          index: 5,
          proof,
          checkpoint: bytesOf(CHECKPOINT),
          extra: bytesOf('age-v1.2.1'),
        }),
      ).toString(),
    ).toBe(RECEIPT.replace('index', 'extra YWdlLXYxLjIuMQ==\nindex'));
  });

  it('carries extra data, which proves nothing', async () => {
    expect(await verify(RECEIPT.replace('index', 'extra YWdlLXYxLjIuMQ==\nindex'))).toMatchObject({
      index: 5,
      extra: bytesOf('age-v1.2.1'),
    });
  });

  it('with any bit flipped is rejected', async () => {
    for (const flipped of bitFlips(bytesOf(RECEIPT))) {
      expect(await codeOf(() => verifyReceipt(flipped, ENTRY, trust))).toMatch(
        /^(?:INVALID_RECEIPT|INVALID_NOTE|INVALID_PROOF|ROOT_MISMATCH|KEY_UNKNOWN|SIGNATURE_INVALID|QUORUM_MISSED)$/,
      );
    }
  });

  it('proves no entry with a bit flipped, and no other one', async () => {
    for (const flipped of bitFlips(ENTRY))
      expect(await codeOf(() => verifyReceipt(bytesOf(RECEIPT), flipped, trust))).toBe(
        'ROOT_MISMATCH',
      );
    for (const leaf of RFC6962.leaves.filter((other) => other !== RFC6962.leaves[5]))
      expect(await codeOf(() => verify(RECEIPT, fromHex(leaf)))).toBe('ROOT_MISMATCH');
    // An inner node is no entry: its children's hashes do not pass for one.
    const inner = `c2sp.org/tlog-proof@v1\nindex 2\n${base64(pairs[3])}\n${base64(fours[0])}\n\n${CHECKPOINT}`;
    expect(await codeOf(() => verify(inner, fromHex(leaves[4] + leaves[5])))).toBe('INVALID_PROOF');
  });

  it.each([
    [
      'another ledger',
      {
        keys: [
          parseVerifierKey('PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW'),
        ],
      },
      'KEY_UNKNOWN',
    ],
    ['another origin', { ...trust, origin: 'other' }, 'ORIGIN_MISMATCH'],
    ['nobody', { keys: [] }, 'INVALID_TRUST'],
  ] as const)('to a verifier that trusts %s is rejected', async (_, other, code) => {
    expect(await codeOf(() => verifyReceipt(bytesOf(RECEIPT), ENTRY, other))).toBe(code);
  });

  it("with an empty line more, which would be the checkpoint's, is SIGNATURE_INVALID", async () => {
    expect(await codeOf(() => verify(RECEIPT.replace('\n\n', '\n\n\n')))).toBe('SIGNATURE_INVALID');
  });

  it('without enough witnesses is QUORUM_MISSED', async () => {
    expect(await codeOf(() => verify(RECEIPT.replace(GO.witnessLine, '')))).toBe('QUORUM_MISSED');
  });

  it.each([
    ['nothing', ''],
    ['no empty line', 'c2sp.org/tlog-proof@v1\nindex 5\n'],
    ['another first line', RECEIPT.replace('@v1', '@v2')],
    ['no index', RECEIPT.replace('index 5\n', '')],
    ['an index with a leading zero', RECEIPT.replace('index 5', 'index 05')],
    ['a negative index', RECEIPT.replace('index 5', 'index -5')],
    ['an index beyond 2^53 - 1', RECEIPT.replace('index 5', 'index 9007199254740992')],
    ['two spaces', RECEIPT.replace('index 5', 'index  5')],
    ['empty extra data', RECEIPT.replace('index', 'extra \nindex')],
    ['bad extra data', RECEIPT.replace('index', 'extra YQ=\nindex')],
    ['extra data for the web', RECEIPT.replace('index', 'extra __8=\nindex')],
    ['extra data twice', RECEIPT.replace('index', 'extra YQ==\nextra YQ==\nindex')],
    ['extra data behind the index', RECEIPT.replace('index 5\n', 'index 5\nextra YQ==\n')],
    ['an index twice', RECEIPT.replace('index 5\n', 'index 5\nindex 5\n')],
    ['a hash without padding', RECEIPT.replace('=\n', '\n')],
    ['a short hash', RECEIPT.replace('index 5\n', 'index 5\nYQ==\n')],
    ['carriage returns', RECEIPT.replaceAll('\n', '\r\n')],
    ['a byte order mark', `\u{FEFF}${RECEIPT}`],
    ['a control character', RECEIPT.replace('index', '\u0000index')],
    ['54 hashes', RECEIPT.replace('index 5\n', `index 5\n${`${base64(leaves[0])}\n`.repeat(51)}`)],
  ])('with %s is INVALID_RECEIPT', async (_, receipt) => {
    expect(await codeOf(() => parseReceipt(bytesOf(receipt)))).toBe('INVALID_RECEIPT');
  });

  it.each([
    ['no checkpoint', `c2sp.org/tlog-proof@v1\nindex 5\n${PROOF}\n`],
    ['something behind', `${RECEIPT}x`],
    ['an empty line behind', `${RECEIPT}\n`],
  ])('with %s is INVALID_NOTE', async (_, receipt) => {
    expect(await codeOf(() => parseReceipt(bytesOf(receipt)))).toBe('INVALID_NOTE');
  });

  it.each([
    ['a hash too few', RECEIPT.replace(PROOF, PROOF.slice(45))],
    ['a hash too many', RECEIPT.replace(PROOF, `${PROOF}${PROOF.slice(0, 45)}`)],
    ['no hash', RECEIPT.replace(PROOF, '')],
    ['an index beyond the tree', RECEIPT.replace('index 5', 'index 8')],
  ])('with %s is INVALID_PROOF', async (_, receipt) => {
    expect(await codeOf(() => verify(receipt))).toBe('INVALID_PROOF');
  });

  it('has at most 1,000,000 bytes', async () => {
    const longer = (by: number) => RECEIPT.replace('index', `extra ${'AAAA'.repeat(by)}\nindex`);
    const most = Math.floor((MAX_RECEIPT_BYTES - bytesOf(RECEIPT).length - 'extra \n'.length) / 4);
    expect(parseReceipt(bytesOf(longer(most))).extra).toHaveLength(most * 3);
    expect(await codeOf(() => parseReceipt(bytesOf(longer(most + 1))))).toBe('INVALID_RECEIPT');
  });

  it('is not written with another index, hash, extra data or checkpoint', async () => {
    const good = parseReceipt(bytesOf(RECEIPT));
    for (const wrong of [
      { index: -1 },
      { index: 0.5 },
      { index: 2 ** 53 },
      { proof: [new Uint8Array(31)] },
      { extra: new Uint8Array() },
      { extra: new Uint8Array(MAX_RECEIPT_BYTES) },
    ])
      expect(await codeOf(() => formatReceipt({ ...good, ...wrong }))).toBe('INVALID_RECEIPT');
    expect(await codeOf(() => formatReceipt({ ...good, checkpoint: bytesOf('x') }))).toBe(
      'INVALID_NOTE',
    );
  });

  it('and its bytes are inverses', () => {
    const hash = fc.uint8Array({ minLength: 32, maxLength: 32 });
    const receipt = fc.record(
      {
        index: fc.maxSafeNat(),
        proof: fc.array(hash, { maxLength: 53 }),
        extra: fc.uint8Array({ minLength: 1, maxLength: 50 }),
        checkpoint: fc.constant(bytesOf(CHECKPOINT)),
      },
      { requiredKeys: ['index', 'proof', 'checkpoint'] },
    );
    fc.assert(
      fc.property(receipt, (any) => {
        const bytes = formatReceipt(any);
        expect(parseReceipt(bytes)).toEqual(any);
        expect(hex(formatReceipt(parseReceipt(bytes)))).toBe(hex(bytes));
      }),
    );
  });

  it("from a ledger's files verifies for every entry", async () => {
    const entries = entriesUpTo(300);
    const ledger = new MemoryLedger();
    const root = ledger.grow(entries);
    const { signerKey, verifierKey } = await makeKey('ledger.example/own', new Uint8Array(32), 1);
    const checkpoint = await signCheckpoint(
      { origin: 'ledger.example/own', size: 300, root, extensions: [] },
      await openSignerKey(signerKey),
    );
    const reader = await ledger.open(root);
    for (const [index, entry] of entries.entries()) {
      const receipt = formatReceipt({
        index,
        proof: await inclusionProof(300, index, (height, at) => reader.hash(height, at)),
        checkpoint,
      });
      expect(
        await verifyReceipt(receipt, entry, { keys: [parseVerifierKey(verifierKey)] }),
      ).toMatchObject({ index, checkpoint: { size: 300, root } });
    }
  });
});
