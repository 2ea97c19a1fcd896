import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  cosign,
  emptyRoot,
  formatCheckpoint,
  formatNote,
  formatSignature,
  makeKey,
  openCheckpoint,
  openSignerKey,
  parseCheckpoint,
  parseNote,
  parseVerifierKey,
  signCheckpoint,
  signNote,
  verifyCosignature,
} from '../src/index.ts';
import type { Trust } from '../src/index.ts';
import { GO } from './go-vectors.ts';
import { bytesOf, fromHex, hex } from './naive-tree.ts';
import { bitFlips, codeOf } from './rejects.ts';
import { RFC6962 } from './rfc6962-vectors.ts';

const log = parseVerifierKey(GO.logVerifier);
const witness = parseVerifierKey(GO.witnessVerifier);
const SIGNED = `${GO.text}\n${GO.logLine}${GO.witnessLine}`;
const witnessed = (quorum = 1): Trust => ({ keys: [log], witnesses: { keys: [witness], quorum } });
const checkpoint = {
  origin: 'ledger.example/audit',
  size: 8,
  root: fromHex(RFC6962.roots[8]),
  extensions: [],
};
const witnessSigner = async (name: string) =>
  openSignerKey(
    (
      await makeKey(
        name,
        new Uint8Array(await crypto.subtle.digest('SHA-256', bytesOf(name).slice())),
        4,
      )
    ).signerKey,
  );

describe('a checkpoint', () => {
  // The example of tlog-checkpoint and tlog-cosignature; its keys are not published.
  const EXAMPLE =
    'example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n';

  it('of the specification is read, and written as it was', () => {
    expect(parseCheckpoint(EXAMPLE)).toMatchObject({
      origin: 'example.com/behind-the-sofa',
      size: 20_852_163,
      extensions: [],
    });
    expect(formatCheckpoint(parseCheckpoint(EXAMPLE))).toBe(EXAMPLE);
  });

  it('of the specification says when its witness signed: 1679315147', () => {
    const note = bytesOf(
      `${EXAMPLE}\n— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n— witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==\n`,
    );
    const [, cosignature] = parseNote(note).signatures;
    expect(cosignature?.signature).toHaveLength(8 + 64);
    expect(hex(cosignature?.signature.subarray(0, 8) ?? emptyRoot())).toBe(
      (1_679_315_147).toString(16).padStart(16, '0'),
    );
    expect(hex(formatNote(parseNote(note)))).toBe(hex(note));
  });

  it('and its text are inverses', () => {
    const line = fc
      .string({ unit: 'grapheme', minLength: 1 })
      .map((value) => value.replaceAll(/\p{Cc}/gu, ''))
      .filter((value) => value !== '');
    fc.assert(
      fc.property(
        fc.record({
          origin: line,
          size: fc.maxSafeNat().map((size) => size || 1),
          root: fc.uint8Array({ minLength: 32, maxLength: 32 }),
          extensions: fc.array(line, { maxLength: 3 }),
        }),
        (any) => {
          expect(parseCheckpoint(formatCheckpoint(any))).toEqual(any);
        },
      ),
    );
  });

  it.each([
    ['no lines', ''],
    ['two lines', 'a\n1\n'],
    ['no newline at the end', EXAMPLE.slice(0, -1)],
    ['no origin', EXAMPLE.replace('example.com/behind-the-sofa', '')],
    ['a leading zero', EXAMPLE.replace('2085', '02085')],
    ['a sign', EXAMPLE.replace('2085', '+2085')],
    ['a negative size', EXAMPLE.replace('2085', '-2085')],
    ['a hexadecimal size', EXAMPLE.replace('20852163', '0x20')],
    ['a size beyond 2^53 - 1', EXAMPLE.replace('20852163', '9007199254740992')],
    ['a size of Arabic digits', EXAMPLE.replace('20852163', '٢')],
    ['a space', EXAMPLE.replace('163\n', '163 \n')],
    ['padding bits in the root', EXAMPLE.replace('q2I=', 'q2J=')],
    [
      'a root of 31 bytes',
      EXAMPLE.replace(
        'CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=',
        'CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxqw==',
      ),
    ],
    ['an extension line without newline', `${EXAMPLE}a`],
    ['an empty line behind', `${EXAMPLE}\n`],
    ['an empty extension line', `${EXAMPLE}a\n\nb\n`],
    ['another root at size 0', EXAMPLE.replace('20852163', '0')],
    ['a control character', EXAMPLE.replace('sofa', 'so\u0000fa')],
    ['half a character', EXAMPLE.replace('sofa', 'so\ud800fa')],
  ])('with %s is INVALID_CHECKPOINT', async (_, text) => {
    expect(await codeOf(() => parseCheckpoint(text))).toBe('INVALID_CHECKPOINT');
  });

  it.each([
    { origin: 'a\nb' },
    { origin: '' },
    { size: -1 },
    { size: 2 ** 53 },
    { size: Number.NaN },
    { root: new Uint8Array(31) },
    { extensions: [''] },
    { extensions: ['a\n\n— b c'] },
    { size: 0 },
  ])('is not written with %j', async (wrong) => {
    expect(await codeOf(() => formatCheckpoint({ ...checkpoint, ...wrong }))).toBe(
      'INVALID_CHECKPOINT',
    );
  });
});

describe('a signed checkpoint', () => {
  it('is signed as Go signs it, byte for byte', async () => {
    expect(
      Buffer.from(await signCheckpoint(checkpoint, await openSignerKey(GO.logSigner))).toString(),
    ).toBe(`${GO.text}\n${GO.logLine}`);
  });

  it('of Go opens, with the witness that cosigned', async () => {
    expect(await openCheckpoint(bytesOf(SIGNED), witnessed())).toEqual({
      checkpoint,
      cosignatures: [{ witness: GO.witnessName, time: GO.witnessTime }],
    });
    expect(await openCheckpoint(bytesOf(SIGNED), { keys: [log] })).toEqual({
      checkpoint,
      cosignatures: [],
    });
  });

  it('with any bit flipped is rejected', async () => {
    for (const flipped of bitFlips(bytesOf(SIGNED)))
      expect(await codeOf(() => openCheckpoint(flipped, witnessed()))).toMatch(
        /^(?:INVALID_NOTE|KEY_UNKNOWN|SIGNATURE_INVALID|QUORUM_MISSED)$/,
      );
  });

  it('of another origin under a trusted key is ORIGIN_MISMATCH', async () => {
    const other = await signCheckpoint(
      { ...checkpoint, origin: 'ledger.example/other' },
      await openSignerKey(GO.logSigner),
    );
    expect(await codeOf(() => openCheckpoint(other, { keys: [log] }))).toBe('ORIGIN_MISMATCH');
    expect(
      (await openCheckpoint(other, { keys: [log], origin: 'ledger.example/other' })).checkpoint
        .origin,
    ).toBe('ledger.example/other');
  });

  it('that only witnesses signed is KEY_UNKNOWN', async () => {
    expect(
      await codeOf(() => openCheckpoint(bytesOf(`${GO.text}\n${GO.witnessLine}`), witnessed())),
    ).toBe('KEY_UNKNOWN');
  });

  it('signed over a text that is no checkpoint is INVALID_CHECKPOINT', async () => {
    const signer = await openSignerKey(GO.logSigner);
    expect(
      await codeOf(async () =>
        openCheckpoint(formatNote({ text: 'a\n', signatures: [await signNote('a\n', signer)] }), {
          keys: [log],
        }),
      ),
    ).toBe('INVALID_CHECKPOINT');
  });

  it('opens with an old and a new key, so that keys can be changed', async () => {
    const { verifierKey } = await makeKey('ledger.example/audit', new Uint8Array(32), 1);
    expect(
      (await openCheckpoint(bytesOf(SIGNED), { keys: [parseVerifierKey(verifierKey), log] }))
        .checkpoint,
    ).toEqual(checkpoint);
  });
});

describe('a cosignature', () => {
  it('is made, verified and dated, and a quorum counts each witness once', async () => {
    const signers = await Promise.all(['w/1', 'w/2', 'w/3'].map(witnessSigner));
    const lines = await Promise.all(
      signers
        .slice(0, 2)
        .map(async (signer, at) =>
          formatSignature(await cosign(GO.text, signer, 1_700_000_000 + at)),
        ),
    );
    const trust = (quorum: number): Trust => ({
      keys: [log],
      witnesses: { keys: signers.map(({ key }) => key), quorum },
    });
    const note = bytesOf(`${GO.text}\n${GO.logLine}${lines.join('')}${lines[0]}`);
    expect((await openCheckpoint(note, trust(2))).cosignatures).toEqual([
      { witness: 'w/1', time: 1_700_000_000 },
      { witness: 'w/2', time: 1_700_000_001 },
    ]);
    expect(await codeOf(() => openCheckpoint(note, trust(3)))).toBe('QUORUM_MISSED');
  });

  it('is bound to its time and its text', async () => {
    const { key, ...signer } = await witnessSigner('w/1');
    const { signature } = await cosign(GO.text, { key, ...signer }, 5);
    expect(await verifyCosignature(GO.text, key, signature)).toBe(5);
    for (const flipped of bitFlips(signature))
      expect(await verifyCosignature(GO.text, key, flipped)).toBeUndefined();
    expect(await verifyCosignature(GO.text.replace('8', '9'), key, signature)).toBeUndefined();
    const beyond = await signer.sign(bytesOf(`cosignature/v1\ntime ${2 ** 53}\n${GO.text}`));
    expect(
      await verifyCosignature(GO.text, key, Buffer.concat([fromHex('0020000000000000'), beyond])),
    ).toBeUndefined();
    for (const length of [0, 8, 64, 71, 73])
      expect(await verifyCosignature(GO.text, key, new Uint8Array(length))).toBeUndefined();
  });

  it('of a known witness that is bad is SIGNATURE_INVALID, though the quorum is met', async () => {
    const signer = await witnessSigner('w/1');
    const good = await cosign(GO.text, signer, 5);
    const bad = formatSignature({
      ...good,
      signature: good.signature.map((byte, at) => (at === 7 ? 6 : byte)),
    });
    const trust: Trust = { keys: [log], witnesses: { keys: [witness, signer.key], quorum: 1 } };
    expect(await codeOf(() => openCheckpoint(bytesOf(`${SIGNED}${bad}`), trust))).toBe(
      'SIGNATURE_INVALID',
    );
  });

  it('is not made over another text, by another key or at another time', async () => {
    const signer = await witnessSigner('w/1');
    expect(await codeOf(() => cosign('a\n', signer, 5))).toBe('INVALID_CHECKPOINT');
    expect(await codeOf(async () => cosign(GO.text, await openSignerKey(GO.logSigner), 5))).toBe(
      'INVALID_KEY',
    );
    for (const time of [-1, 0.5, 2 ** 53, Number.NaN])
      expect(await codeOf(() => cosign(GO.text, signer, time))).toBe('INVALID_CHECKPOINT');
  });
});

describe('trust', () => {
  it.each<[string, Trust]>([
    ['no key', { keys: [] }],
    ['a witness for the ledger', { keys: [witness] }],
    ['the ledger for a witness', { keys: [log], witnesses: { keys: [log], quorum: 1 } }],
    [
      "a note's key for a witness",
      { keys: [log], witnesses: { keys: [{ ...witness, type: 1 }], quorum: 1 } },
    ],
    ['a quorum of none', witnessed(0)],
    ['a quorum of more than there are', witnessed(2)],
    ['half a quorum', witnessed(0.5)],
    ['one witness twice', { keys: [log], witnesses: { keys: [witness, witness], quorum: 2 } }],
    [
      'one witness key under two names',
      { keys: [log], witnesses: { keys: [witness, { ...witness, name: 'other' }], quorum: 2 } },
    ],
    ['one key twice', { keys: [log, log] }],
  ])('in %s is INVALID_TRUST', async (_, trust) => {
    expect(await codeOf(() => openCheckpoint(bytesOf(SIGNED), trust))).toBe('INVALID_TRUST');
  });
});
