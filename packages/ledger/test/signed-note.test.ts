import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  MAX_NOTE_BYTES,
  MAX_SIGNATURES,
  formatNote,
  makeKey,
  openSignerKey,
  parseNote,
  parseVerifierKey,
  signNote,
  verifyNote,
} from '../src/index.ts';
import { GO } from './go-vectors.ts';
import { bytesOf, hex } from './naive-tree.ts';
import { bitFlips, codeOf } from './rejects.ts';

// From golang.org/x/mod/sumdb/note's documentation and tests.
const PETER = parseVerifierKey(
  'PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW',
);
const ENOCH = parseVerifierKey('EnochRoot+af0cfe78+ATtqJ7zOtqQtYqOo0CpvDXNlMhV3HeJDpjrASKGLWdop');
const PETER_SIGNER =
  'PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz';
const TEXT =
  "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n";
const PETERS =
  '— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n';
const ENOCHS =
  '— EnochRoot rwz+eBzmZa0SO3NbfRGzPCpDckykFXSdeX+MNtCOXm2/5n2tiOHp+vAF1aGrQ5ovTG01oOTGwnWLox33WWd1RvMc+QQ=\n';
const namesOf = async (note: string, keys: Parameters<typeof verifyNote>[1]) =>
  (await verifyNote(parseNote(bytesOf(note)), keys)).map(({ key }) => key.name);

describe('the examples of signed-note and of sumdb/note', () => {
  it('a message under example.com/foo', async () => {
    const note =
      'This is an example message.\n\n— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n';
    expect(
      await namesOf(note, [
        parseVerifierKey('example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k'),
      ]),
    ).toEqual(['example.com/foo']);
  });

  it('a text with an empty line ends at the last one', () => {
    const text =
      'Ognuno sta solo sul cuor della terra\ntrafitto da un raggio di sole:\n\ned è subito sera.\n';
    const note = bytesOf(
      `${text}\n— quasimodo.example/salvatore NnugSzTjtVAewIS+Z/iJhUPeFDkO/5QQ2i5ddnGITLlC+EhfLW9oJKONrMouFSQU0xMcXxj99ihAQwaqP3ZekRwNtIc=\n`,
    );
    expect(parseNote(note)).toMatchObject({
      text,
      signatures: [{ name: 'quasimodo.example/salvatore', keyId: 0x367ba04b }],
    });
    expect(hex(formatNote(parseNote(note)))).toBe(hex(note));
  });

  it('Peter signs as Go lets him, and both signatures verify', async () => {
    expect(
      Buffer.from(
        formatNote({
          text: TEXT,
          signatures: [await signNote(TEXT, await openSignerKey(PETER_SIGNER))],
        }),
      ).toString(),
    ).toBe(`${TEXT}\n${PETERS}`);
    expect(await namesOf(`${TEXT}\n${PETERS}${ENOCHS}`, [ENOCH, PETER])).toEqual([
      'PeterNeumann',
      'EnochRoot',
    ]);
  });
});

describe('signatures', () => {
  it('of unknown keys are ignored, even with a known name or id', async () => {
    const misnamed = PETERS.replace('PeterNeumann', 'CarmenSandiego');
    const otherId = PETERS.replace('x08g', 'xxxx');
    expect(await namesOf(`${TEXT}\n${misnamed}${otherId}${ENOCHS}${PETERS}`, [PETER])).toEqual([
      'PeterNeumann',
    ]);
  });

  it('of one key repeated count once', async () => {
    expect(await namesOf(`${TEXT}\n${PETERS}${PETERS}`, [PETER])).toEqual(['PeterNeumann']);
  });

  it('all of unknown keys: KEY_UNKNOWN', async () => {
    expect(await codeOf(() => namesOf(`${TEXT}\n${PETERS}`, [ENOCH]))).toBe('KEY_UNKNOWN');
    expect(await codeOf(() => namesOf(`${TEXT}\n${PETERS}`, []))).toBe('KEY_UNKNOWN');
  });

  it('one bad one of a known key: SIGNATURE_INVALID, whatever the others are', async () => {
    const bad = ENOCHS.replace('5n2t', '5n2u');
    expect(await codeOf(() => namesOf(`${TEXT}\n${PETERS}${bad}`, [PETER, ENOCH]))).toBe(
      'SIGNATURE_INVALID',
    );
    expect(await codeOf(() => namesOf(`${TEXT}\n${ENOCHS}${bad}`, [PETER, ENOCH]))).toBe(
      'SIGNATURE_INVALID',
    );
    expect(await codeOf(() => namesOf(`${TEXT}\n${ENOCHS.replace('+QQ=', '+QQA')}`, [ENOCH]))).toBe(
      'SIGNATURE_INVALID',
    );
    expect(await codeOf(() => namesOf(`x${TEXT}\n${PETERS}`, [PETER]))).toBe('SIGNATURE_INVALID');
  });

  it('are not verified by two keys of one name and id: INVALID_TRUST', async () => {
    expect(
      await codeOf(() =>
        namesOf(`${TEXT}\n${PETERS}`, [PETER, { ...PETER, publicKey: ENOCH.publicKey }]),
      ),
    ).toBe('INVALID_TRUST');
  });

  it('are made over text that a note may hold, by keys for notes', async () => {
    const signer = await openSignerKey(PETER_SIGNER);
    for (const text of ['', 'no newline', 'tab\t\n', 'return\r\n', 'zero\u0000\n', 'half \ud800\n'])
      expect(await codeOf(() => signNote(text, signer))).toBe('INVALID_NOTE');
    const witness = await openSignerKey((await makeKey('w', new Uint8Array(32), 4)).signerKey);
    expect(await codeOf(() => signNote(TEXT, witness))).toBe('INVALID_KEY');
  });
});

describe('a note', () => {
  const signature = fc.record({
    name: fc.stringMatching(/^[a-zA-Z0-9./é-]{1,20}$/),
    keyId: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
    signature: fc.uint8Array({ minLength: 1, maxLength: 80 }),
  });
  const text = fc
    .string({ unit: 'grapheme' })
    .map((value) => `${value.replaceAll(/[^\P{Cc}\n]/gu, '')}\n`);

  it('and its bytes are inverses', () => {
    fc.assert(
      fc.property(text, fc.array(signature, { minLength: 1, maxLength: 5 }), (body, signatures) => {
        const note = { text: body, signatures };
        expect(parseNote(formatNote(note))).toEqual(note);
      }),
    );
  });

  it('with any bit flipped is rejected, or is another signature that the reader ignores or refuses', async () => {
    const note = bytesOf(`${TEXT}\n${PETERS}`);
    for (const flipped of bitFlips(note))
      expect(await codeOf(() => verifyNote(parseNote(flipped), [PETER]))).toMatch(
        /^(?:INVALID_NOTE|KEY_UNKNOWN|SIGNATURE_INVALID)$/,
      );
  });

  it.each([
    ['nothing', ''],
    ['no signatures', TEXT],
    ['an empty signature part', `${TEXT}\n`],
    ['no newline at the end', `${TEXT}\n${PETERS.slice(0, -1)}`],
    ['a control character', `\u0001${TEXT}\n${PETERS}`],
    ['a carriage return', `${TEXT}\n${PETERS.replace('\n', '\r\n')}`],
    ['a tab', `a\tb\n\n${PETERS}`],
    ['a name with a space', `${TEXT}\n— Bad Name x08go/ZJkuBS9UG/\n`],
    ['a name with a plus', `${TEXT}\n— Bad+Name x08go/ZJkuBS9UG/\n`],
    ['a name with a Unicode space', `${TEXT}\n— Bad\u2003Name x08go/ZJkuBS9UG/\n`],
    ['another line', `${TEXT}\n${PETERS}Unexpected line.\n`],
    ['another line first', `${TEXT}\nUnexpected line.\n${PETERS}`],
    ['a hyphen for the dash', `${TEXT}\n${PETERS.replace('—', '-')}`],
    ['two spaces', `${TEXT}\n${PETERS.replace(' Peter', '  Peter')}`],
    ['a space at the end', `${TEXT}\n${PETERS.replace('\n', ' \n')}`],
    ['base64 without padding', `${TEXT}\n${PETERS.replace('=', '')}`],
    ['base64 for the web', `${TEXT}\n${PETERS.replaceAll('/', '_')}`],
    ['padding bits', `${TEXT}\n${PETERS.replace('nAM=', 'nAN=')}`],
    ['base64 of a length that none has', `${TEXT}\n— PeterNeumann x08go\n`],
    ['a second line without newline', `${TEXT}\n${PETERS}${ENOCHS.slice(0, -1)}`],
    ['something behind', `${TEXT}\n${PETERS}x`],
    ['a key id alone', `${TEXT}\n— PeterNeumann x08gow==\n`],
    ['less than a key id', `${TEXT}\n— PeterNeumann x08g\n`],
    ['an empty line at the end', `${TEXT}\n${PETERS}\n`],
  ])('with %s is INVALID_NOTE', async (_, note) => {
    expect(await codeOf(() => parseNote(bytesOf(note)))).toBe('INVALID_NOTE');
  });

  it.each([[0xff], [0xc0, 0x80], [0xed, 0xa0, 0x80], [0xe2, 0x80]])(
    'with the bytes %j, no UTF-8, is INVALID_NOTE',
    async (...bytes) => {
      expect(
        await codeOf(() =>
          parseNote(Buffer.concat([Buffer.from(bytes), bytesOf(`${TEXT}\n${PETERS}`)])),
        ),
      ).toBe('INVALID_NOTE');
    },
  );

  it('keeps a byte order mark: it is part of what was signed', () => {
    expect(parseNote(bytesOf(`\u{FEFF}a\n\n${PETERS}`)).text).toBe('\u{FEFF}a\n');
  });

  it('has at most 100 signatures and 1,000,000 bytes', async () => {
    expect(parseNote(bytesOf(`${TEXT}\n${PETERS.repeat(MAX_SIGNATURES)}`)).signatures).toHaveLength(
      MAX_SIGNATURES,
    );
    expect(
      await codeOf(() => parseNote(bytesOf(`${TEXT}\n${PETERS.repeat(MAX_SIGNATURES + 1)}`))),
    ).toBe('INVALID_NOTE');
    const long = (length: number) => `${'a'.repeat(length - PETERS.length - 4)}\n\n${PETERS}`;
    expect(bytesOf(long(MAX_NOTE_BYTES))).toHaveLength(MAX_NOTE_BYTES);
    expect(parseNote(bytesOf(long(MAX_NOTE_BYTES))).signatures).toHaveLength(1);
    expect(await codeOf(() => parseNote(bytesOf(long(MAX_NOTE_BYTES + 1))))).toBe('INVALID_NOTE');
  });

  it('is not written without a signature, with a bad one, or over a text that no note may hold', async () => {
    const [good] = parseNote(bytesOf(`${TEXT}\n${PETERS}`)).signatures;
    if (good === undefined) throw new RangeError('Expected a signature.');
    for (const note of [
      { text: TEXT, signatures: [] },
      { text: 'a', signatures: [good] },
      { text: 'a\u0007\n', signatures: [good] },
      { text: TEXT, signatures: [{ ...good, name: 'a b' }] },
      { text: TEXT, signatures: [{ ...good, signature: new Uint8Array() }] },
    ]) {
      expect(await codeOf(() => formatNote(note))).toBe('INVALID_NOTE');
    }
  });

  it('of Go verifies here', async () => {
    expect(await namesOf(`${GO.text}\n${GO.logLine}`, [parseVerifierKey(GO.logVerifier)])).toEqual([
      'ledger.example/audit',
    ]);
  });
});
