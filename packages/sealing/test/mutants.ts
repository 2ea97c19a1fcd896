/**
 * A defect put into a copy of the sealer, and checks (`seal-checks.ts`) that must see it. Where `opens`
 * is not among them the SDK reads the message all the same, and only the others see the defect.
 */
export interface Mutant {
  readonly name: string;
  readonly file:
    | 'seal-message.ts'
    | 'encryption-context.ts'
    | 'message-format.ts'
    | 'wrapping-key.ts';
  /** Stands in the file exactly once. */
  readonly from: string;
  readonly to: string;
  readonly caughtBy: readonly string[];
}

const OPENS = 'opens';
const RECOMPUTED = 'is recomputed';
const ANY_TEXT = 'opens with any text';
const SHAPE = 'has the shape of the SDK';
const DIGEST = 'has its digest';
const FRESH = 'has a data key and an id of its own';
const FORGETS = 'forgets its data key';
const FRAMES = 'cuts frames of 1 MiB';
const FITS = 'refuses what does not fit its field';

function mutant(
  name: string,
  from: string,
  to: string,
  caughtBy: readonly string[],
  file: Mutant['file'] = 'seal-message.ts',
): Mutant {
  return { name, file, from, to, caughtBy };
}

const HEADER: readonly Mutant[] = [
  mutant('no version', 'writer.uint(1, MESSAGE_VERSION);', '', [OPENS, RECOMPUTED]),
  mutant(
    'version 1',
    'MESSAGE_VERSION = 2',
    'MESSAGE_VERSION = 1',
    [OPENS, RECOMPUTED],
    'message-format.ts',
  ),
  mutant('no suite', 'writer.uint(2, SUITE);', '', [OPENS, RECOMPUTED]),
  mutant(
    'a suite with a signature',
    'SUITE = 0x0478',
    'SUITE = 0x0578',
    [OPENS, RECOMPUTED],
    'message-format.ts',
  ),
  mutant(
    'no message id',
    '  writer.bytes(messageId);\n  writer.uint(2, context',
    '  writer.uint(2, context',
    [OPENS, RECOMPUTED],
  ),
  mutant(
    'a message id of zeros',
    'const messageId = chance.subarray(0, MESSAGE_ID_BYTES);',
    'const messageId = Buffer.alloc(32);',
    [FRESH],
  ),
  mutant(
    'the data key as message id',
    'const dataKey = chance.subarray(MESSAGE_ID_BYTES);',
    'const dataKey = messageId;',
    [FRESH],
  ),
  mutant('no length of the context', 'writer.uint(2, context.length);', '', [OPENS, RECOMPUTED]),
  mutant(
    'a wrong length of the context',
    'writer.uint(2, context.length);',
    'writer.uint(2, context.length - 1);',
    [OPENS, RECOMPUTED],
  ),
  mutant('no context', 'writer.bytes(context);', '', [OPENS, RECOMPUTED]),
  mutant('no count of data keys', '  writer.uint(2, 1);\n', '', [OPENS, RECOMPUTED]),
  mutant('two data keys counted', 'writer.uint(2, 1);', 'writer.uint(2, 2);', [OPENS, RECOMPUTED]),
  mutant('no names of the key', 'writer.bytes(to.names);', '', [OPENS, RECOMPUTED]),
  mutant('no length of the wrapped key', 'writer.uint(2, wrapped.length);', '', [
    OPENS,
    RECOMPUTED,
  ]),
  mutant('no wrapped key', 'writer.bytes(wrapped);', '', [OPENS, RECOMPUTED]),
  mutant('no content type', 'writer.uint(1, FRAMED);', '', [OPENS, RECOMPUTED]),
  mutant(
    'content without frames',
    'FRAMED = 2',
    'FRAMED = 1',
    [OPENS, RECOMPUTED],
    'message-format.ts',
  ),
  mutant('no frame length', 'writer.uint(4, frameBytes);', '', [OPENS, RECOMPUTED]),
  mutant(
    'a larger frame length',
    'writer.uint(4, frameBytes);',
    'writer.uint(4, frameBytes + 1);',
    [OPENS, RECOMPUTED],
  ),
  mutant('frames of 2 MiB', 'FRAME_BYTES = 1024 * 1024', 'FRAME_BYTES = 2 * 1024 * 1024', [FRAMES]),
  mutant('no commit key', 'writer.bytes(commitKey);', '', [OPENS, RECOMPUTED]),
  mutant('a commit key of zeros', 'writer.bytes(commitKey);', 'writer.bytes(Buffer.alloc(32));', [
    OPENS,
    RECOMPUTED,
  ]),
  mutant(
    'no tag',
    'cipher.final();\n  writer.bytes(cipher.getAuthTag());\n}\n\n/** SPEC, data-format/message-body.md,',
    'cipher.final();\n}\n\n/** SPEC, data-format/message-body.md,',
    [OPENS, RECOMPUTED],
  ),
  mutant(
    'a tag over less than the header',
    'cipher.setAAD(writer.since(0));',
    'cipher.setAAD(writer.since(1));',
    [OPENS, RECOMPUTED],
  ),
  mutant(
    'another IV of the tag',
    'HEADER_IV = Buffer.alloc(IV_BYTES)',
    'HEADER_IV = Buffer.alloc(IV_BYTES, 1)',
    [OPENS, RECOMPUTED],
  ),
  mutant(
    'a tag under the commit key',
    "createCipheriv('aes-256-gcm', encryptionKey, HEADER_IV)",
    "createCipheriv('aes-256-gcm', commitKey, HEADER_IV)",
    [OPENS, RECOMPUTED],
  ),
];

const CONTEXT: readonly Mutant[] = [
  mutant(
    'not sorted',
    '.sort((a, b) => a.name.compare(b.name))',
    '',
    [SHAPE, RECOMPUTED],
    'encryption-context.ts',
  ),
  mutant(
    'sorted backwards',
    'a.name.compare(b.name)',
    'b.name.compare(a.name)',
    [SHAPE, RECOMPUTED],
    'encryption-context.ts',
  ),
  mutant(
    'sorted by UTF-16',
    '.sort((a, b) => a.name.compare(b.name))',
    '.sort((a, b) => (String(a.name) < String(b.name) ? -1 : 1))',
    [SHAPE, RECOMPUTED],
    'encryption-context.ts',
  ),
  mutant(
    'sorted by length first',
    'a.name.compare(b.name)',
    'a.name.length - b.name.length || a.name.compare(b.name)',
    [SHAPE, RECOMPUTED],
    'encryption-context.ts',
  ),
  mutant(
    'a wrong count',
    'context.writeUInt16BE(pairs.length)',
    'context.writeUInt16BE(pairs.length + 1)',
    [OPENS, RECOMPUTED],
    'encryption-context.ts',
  ),
  mutant(
    'an empty one with a count',
    'if (pairs.length === 0) return Buffer.alloc(0); // An empty context has no count.',
    '',
    [SHAPE],
    'encryption-context.ts',
  ),
  mutant(
    'a name left out',
    'at += name.copy(context, at);',
    '',
    [OPENS, RECOMPUTED],
    'encryption-context.ts',
  ),
  mutant(
    'a value left out',
    'at += context.write(value, at);',
    '',
    [OPENS, RECOMPUTED],
    'encryption-context.ts',
  ),
  mutant(
    'lengths of characters',
    'bytes: Buffer.byteLength(value)',
    'bytes: value.length',
    [ANY_TEXT, SHAPE, RECOMPUTED, FITS],
    'encryption-context.ts',
  ),
  mutant(
    'lengths in little-endian',
    'context.writeUInt16BE(bytes, at)',
    'context.writeUInt16LE(bytes, at)',
    [OPENS, RECOMPUTED],
    'encryption-context.ts',
  ),
  mutant(
    'Latin-1',
    'context.write(value, at)',
    "context.write(value, at, 'latin1')",
    [ANY_TEXT, SHAPE, RECOMPUTED],
    'encryption-context.ts',
  ),
  mutant(
    'a name in Latin-1',
    'name: Buffer.from(name)',
    "name: Buffer.from(name, 'latin1')",
    [ANY_TEXT, SHAPE, RECOMPUTED],
    'encryption-context.ts',
  ),
];

const KEYS: readonly Mutant[] = [
  mutant(
    'another provider',
    '[keyNamespace(region), id]',
    '[region, id]',
    [OPENS, RECOMPUTED],
    'wrapping-key.ts',
  ),
  mutant(
    'name before provider',
    '[keyNamespace(region), id]',
    '[id, keyNamespace(region)]',
    [OPENS, RECOMPUTED],
    'wrapping-key.ts',
  ),
  mutant(
    'OAEP with SHA-1',
    "oaepHash: 'sha256'",
    "oaepHash: 'sha1'",
    [OPENS, RECOMPUTED],
    'wrapping-key.ts',
  ),
  mutant(
    'PKCS #1 v1.5',
    "padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha256'",
    'padding: constants.RSA_PKCS1_PADDING',
    [OPENS, RECOMPUTED],
    'wrapping-key.ts',
  ),
  mutant(
    'half a data key',
    'randomBytes(MESSAGE_ID_BYTES + DATA_KEY_BYTES)',
    'Buffer.concat([randomBytes(48), Buffer.alloc(16)])',
    [FRESH],
  ),
  mutant(
    'one data key for all',
    'const dataKey = chance.subarray(MESSAGE_ID_BYTES);',
    'const dataKey = Buffer.alloc(32, 7);',
    [FRESH],
  ),
  mutant(
    'the derived key wrapped',
    'wrapped: to.wrap(dataKey)',
    'wrapped: to.wrap(encryptionKey)',
    [OPENS, RECOMPUTED],
  ),
  mutant(
    'no salt',
    "hkdfSync('sha512', dataKey, messageId,",
    "hkdfSync('sha512', dataKey, Buffer.alloc(0),",
    [OPENS, RECOMPUTED],
  ),
  mutant('another hash', "hkdfSync('sha512'", "hkdfSync('sha384'", [OPENS, RECOMPUTED]),
  mutant('another commit label', "'COMMITKEY'", "'COMMIT'", [OPENS, RECOMPUTED]),
  mutant('another encryption label', "'DERIVEKEY'", "'DERIVE'", [OPENS, RECOMPUTED]),
  mutant(
    'no suite in the encryption label',
    'Buffer.from([SUITE >> 8, SUITE & 0xff, ...',
    'Buffer.from([...',
    [OPENS, RECOMPUTED],
  ),
  mutant('the suite turned round', 'SUITE >> 8, SUITE & 0xff', 'SUITE & 0xff, SUITE >> 8', [
    OPENS,
    RECOMPUTED,
  ]),
  mutant(
    'encryption with the data key itself',
    'const encryptionKey = derive(dataKey, messageId, ENCRYPTION_INFO, ENCRYPTION_KEY_BYTES);',
    'const encryptionKey = Buffer.from(dataKey);',
    [OPENS, RECOMPUTED],
  ),
  mutant(
    'encryption with the commit key',
    'derive(dataKey, messageId, ENCRYPTION_INFO',
    'derive(dataKey, messageId, COMMIT_INFO',
    [OPENS, RECOMPUTED],
  ),
  mutant('a data key left in memory', 'chance.fill(0);', '', [FORGETS]),
  mutant(
    'a data key left in memory if wrapping fails',
    'wrapped: to.wrap(dataKey)',
    'wrapped: to.wrap(Buffer.from(dataKey))',
    [FORGETS],
  ),
];

const BODY: readonly Mutant[] = [
  mutant(
    'sequence numbers from 0',
    'for (let sequence = 1; sequence <= wholeFrames + 1;',
    'for (let sequence = 0; sequence < wholeFrames + 1;',
    [OPENS, RECOMPUTED],
  ),
  mutant(
    'no final frame',
    'sequence <= wholeFrames + 1;',
    'sequence <= Math.max(1, wholeFrames);',
    [OPENS, RECOMPUTED],
  ),
  mutant('no mark of the final frame', 'if (final) writer.uint(SEQUENCE_BYTES, LAST_FRAME);', '', [
    OPENS,
    RECOMPUTED,
  ]),
  mutant('every frame marked as final', 'final: sequence > wholeFrames', 'final: true', [
    OPENS,
    RECOMPUTED,
  ]),
  mutant(
    'no sequence number',
    '  writer.uint(SEQUENCE_BYTES, sequence);\n  // The IV',
    '  // The IV',
    [OPENS, RECOMPUTED],
  ),
  mutant('no IV', 'writer.bytes(iv);', '', [OPENS, RECOMPUTED]),
  mutant('one IV for all frames', 'iv.writeUInt32BE(sequence, IV_BYTES - SEQUENCE_BYTES);', '', [
    SHAPE,
    RECOMPUTED,
  ]),
  mutant(
    'an IV padded at its end',
    'iv.writeUInt32BE(sequence, IV_BYTES - SEQUENCE_BYTES);',
    'iv.writeUInt32BE(sequence, 0);',
    [SHAPE, RECOMPUTED],
  ),
  mutant(
    'another IV than the one written',
    "createCipheriv('aes-256-gcm', encryptionKey, iv)",
    "createCipheriv('aes-256-gcm', encryptionKey, HEADER_IV)",
    [OPENS, RECOMPUTED],
  ),
  mutant('no length in the final frame', 'if (final) writer.uint(4, content.length);', '', [
    OPENS,
    RECOMPUTED,
  ]),
  mutant(
    'a length in every frame',
    'if (final) writer.uint(4, content.length);',
    'writer.uint(4, content.length);',
    [OPENS, RECOMPUTED],
  ),
  mutant('no content', 'writer.bytes(cipher.update(content));', 'cipher.update(content);', [
    OPENS,
    RECOMPUTED,
  ]),
  mutant(
    'content in the clear',
    'writer.bytes(cipher.update(content));',
    'cipher.update(content); writer.bytes(content);',
    [OPENS, RECOMPUTED],
  ),
  mutant(
    'no tag',
    'cipher.final();\n  writer.bytes(cipher.getAuthTag());\n}\n\n/** SPEC, data-format/message-body-aad.md',
    'cipher.final();\n}\n\n/** SPEC, data-format/message-body-aad.md',
    [OPENS, RECOMPUTED],
  ),
  mutant('no AAD', 'cipher.setAAD(frameAad(messageId, frame));', '', [OPENS, RECOMPUTED]),
  mutant(
    'no message id in the AAD',
    '  writer.bytes(messageId);\n  writer.bytes(kind);',
    '  writer.bytes(kind);',
    [OPENS, RECOMPUTED],
  ),
  mutant('no kind in the AAD', 'writer.bytes(kind);', '', [OPENS, RECOMPUTED]),
  mutant(
    'kinds turned round in the AAD',
    'final ? FINAL_FRAME : WHOLE_FRAME',
    'final ? WHOLE_FRAME : FINAL_FRAME',
    [OPENS, RECOMPUTED],
  ),
  mutant(
    'no sequence number in the AAD',
    '  writer.uint(SEQUENCE_BYTES, sequence);\n  writer.uint(4, 0);',
    '  writer.uint(4, 0);',
    [OPENS, RECOMPUTED],
  ),
  mutant('a short length in the AAD', 'writer.uint(4, 0); //', '//', [OPENS, RECOMPUTED]),
  mutant('no length in the AAD', '  writer.uint(4, content.length);\n  return', '  return', [
    OPENS,
    RECOMPUTED,
  ]),
  mutant(
    'a sample cut short',
    'const content = sample.subarray((sequence - 1) * frameBytes, sequence * frameBytes);',
    'const content = sample.subarray((sequence - 1) * frameBytes, sequence * frameBytes - 1);',
    [OPENS, RECOMPUTED],
  ),
  mutant(
    'a full final frame',
    'Math.floor(sample.length / frameBytes)',
    'Math.max(0, Math.ceil(sample.length / frameBytes) - 1)',
    [SHAPE, RECOMPUTED],
  ),
  mutant('bytes behind the message', 'sample.length,\n  );', 'sample.length + 1,\n  );', [
    SHAPE,
    RECOMPUTED,
    FRESH,
    FRAMES,
  ]),
  mutant(
    'a digest without the header',
    "hash('sha256', message)",
    "hash('sha256', message.subarray(1))",
    [DIGEST],
  ),
  mutant('another digest', "hash('sha256', message)", "hash('sha512-256', message)", [DIGEST]),
];

export const MUTANTS: readonly (Mutant & { readonly part: string })[] = [
  ...HEADER.map((one) => ({ ...one, part: 'header' })),
  ...CONTEXT.map((one) => ({ ...one, part: 'context' })),
  ...KEYS.map((one) => ({ ...one, part: 'keys' })),
  ...BODY.map((one) => ({ ...one, part: 'body' })),
];
