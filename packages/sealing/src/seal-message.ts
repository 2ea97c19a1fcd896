import { createCipheriv, hash, hkdfSync, randomBytes } from 'node:crypto';
import { writeContext } from './encryption-context.ts';
import { MessageFieldsWriter } from './message-fields.ts';
import {
  COMMIT_KEY_BYTES,
  FRAMED,
  IV_BYTES,
  LAST_FRAME,
  MESSAGE_ID_BYTES,
  MESSAGE_VERSION,
  SEQUENCE_BYTES,
  SUITE,
  TAG_BYTES,
} from './message-format.ts';
import type { WrappingKey } from './wrapping-key.ts';

// Large frames cost the least: at 16 MiB, 4 KiB frames took ten times as long as these, and every
// implementation of the SDK holds one frame at a time before it gives out plaintext.
const FRAME_BYTES = 1024 * 1024;

/** SPEC, framework/transitive-requirements.md, "HKDF commit key" and "HKDF encryption key". */
const COMMIT_INFO = Buffer.from('COMMITKEY');
const ENCRYPTION_INFO = Buffer.from([SUITE >> 8, SUITE & 0xff, ...Buffer.from('DERIVEKEY')]);
const DATA_KEY_BYTES = 32;
const ENCRYPTION_KEY_BYTES = 32;
/** SPEC, data-format/message-body-aad.md, "body AAD content". */
const WHOLE_FRAME = Buffer.from('AWSKMSEncryptionClient Frame');
const FINAL_FRAME = Buffer.from('AWSKMSEncryptionClient Final Frame');
/** SPEC, client-apis/encrypt.md, "construct the header": the IV of the header's tag. */
const HEADER_IV = Buffer.alloc(IV_BYTES);

const WHOLE_FRAME_OVERHEAD = SEQUENCE_BYTES + IV_BYTES + TAG_BYTES;
const FINAL_FRAME_OVERHEAD = SEQUENCE_BYTES + WHOLE_FRAME_OVERHEAD + 4;

export interface SealedMessage {
  readonly message: Buffer;
  /** Lower-case hex SHA-256 of the message. */
  readonly sha256: string;
}

/** What one message is made of. */
interface Materials {
  /** The encryption context's bytes. */
  readonly context: Buffer;
  readonly to: WrappingKey;
  readonly wrapped: Buffer;
  readonly messageId: Buffer;
  readonly commitKey: Buffer;
  readonly encryptionKey: Buffer;
  readonly frameBytes: number;
}

/**
 * Seals to one AWS Encryption SDK message (SPEC, client-apis/encrypt.md) with a data key of its own.
 * Synchronous; the message is one allocation. `values` is the encryption context. Frames are cut as
 * the SDK for JavaScript cuts them: a sample that fills its frames has an empty final one. A context
 * too long for its fields throws `RangeError`.
 */
export function sealMessage(
  sample: Uint8Array,
  {
    values,
    to,
    frameBytes = FRAME_BYTES,
  }: {
    readonly values: Readonly<Record<string, string>>;
    readonly to: WrappingKey;
    readonly frameBytes?: number;
  },
): SealedMessage {
  const context = writeContext(values);
  // Message ids too "MUST use a good source of randomness"; one call takes less time than two.
  const chance = randomBytes(MESSAGE_ID_BYTES + DATA_KEY_BYTES);
  const messageId = chance.subarray(0, MESSAGE_ID_BYTES);
  const dataKey = chance.subarray(MESSAGE_ID_BYTES);
  const encryptionKey = derive(dataKey, messageId, ENCRYPTION_INFO, ENCRYPTION_KEY_BYTES);
  try {
    return write(sample, {
      context,
      to,
      wrapped: to.wrap(dataKey),
      messageId,
      commitKey: derive(dataKey, messageId, COMMIT_INFO, COMMIT_KEY_BYTES),
      encryptionKey,
      frameBytes,
    });
  } finally {
    chance.fill(0);
    encryptionKey.fill(0);
  }
}

function write(sample: Uint8Array, materials: Materials): SealedMessage {
  const { context, to, wrapped, frameBytes } = materials;
  const wholeFrames = Math.floor(sample.length / frameBytes);
  const headerBytes =
    1 +
    2 +
    MESSAGE_ID_BYTES + // version, suite, message id
    (2 + context.length) +
    (2 + to.names.length + 2 + wrapped.length) + // count of data keys, the one there is
    (1 + 4 + COMMIT_KEY_BYTES) + // content type, frame length, suite data
    TAG_BYTES;
  // Not zeroed first: every byte is written.
  const message = Buffer.allocUnsafeSlow(
    headerBytes + wholeFrames * WHOLE_FRAME_OVERHEAD + FINAL_FRAME_OVERHEAD + sample.length,
  );
  const writer = new MessageFieldsWriter(message);
  writeHeader(writer, materials);
  for (let sequence = 1; sequence <= wholeFrames + 1; sequence += 1) {
    const content = sample.subarray((sequence - 1) * frameBytes, sequence * frameBytes);
    writeFrame(writer, materials, { content, sequence, final: sequence > wholeFrames });
  }
  return { message, sha256: hash('sha256', message) };
}

/** SPEC, data-format/message-header.md. */
function writeHeader(
  writer: MessageFieldsWriter,
  { context, to, wrapped, messageId, commitKey, encryptionKey, frameBytes }: Materials,
): void {
  writer.uint(1, MESSAGE_VERSION);
  writer.uint(2, SUITE);
  writer.bytes(messageId);
  writer.uint(2, context.length);
  writer.bytes(context);
  writer.uint(2, 1);
  writer.bytes(to.names);
  writer.uint(2, wrapped.length);
  writer.bytes(wrapped);
  writer.uint(1, FRAMED);
  writer.uint(4, frameBytes);
  writer.bytes(commitKey);
  const cipher = createCipheriv('aes-256-gcm', encryptionKey, HEADER_IV);
  cipher.setAAD(writer.since(0));
  cipher.final();
  writer.bytes(cipher.getAuthTag());
}

/** SPEC, data-format/message-body.md, "regular frame" and "final frame". */
function writeFrame(
  writer: MessageFieldsWriter,
  { messageId, encryptionKey }: Materials,
  frame: { readonly content: Uint8Array; readonly sequence: number; readonly final: boolean },
): void {
  const { content, sequence, final } = frame;
  if (final) writer.uint(SEQUENCE_BYTES, LAST_FRAME);
  writer.uint(SEQUENCE_BYTES, sequence);
  // The IV is the sequence number, padded (SPEC, client-apis/encrypt.md, "construct a frame").
  const iv = Buffer.alloc(IV_BYTES);
  iv.writeUInt32BE(sequence, IV_BYTES - SEQUENCE_BYTES);
  writer.bytes(iv);
  if (final) writer.uint(4, content.length);
  const cipher = createCipheriv('aes-256-gcm', encryptionKey, iv);
  cipher.setAAD(frameAad(messageId, frame));
  writer.bytes(cipher.update(content));
  cipher.final();
  writer.bytes(cipher.getAuthTag());
}

/** SPEC, data-format/message-body-aad.md. */
function frameAad(
  messageId: Buffer,
  { content, sequence, final }: { content: Uint8Array; sequence: number; final: boolean },
): Buffer {
  const kind = final ? FINAL_FRAME : WHOLE_FRAME;
  const writer = new MessageFieldsWriter(
    Buffer.allocUnsafe(messageId.length + kind.length + SEQUENCE_BYTES + 8),
  );
  writer.bytes(messageId);
  writer.bytes(kind);
  writer.uint(SEQUENCE_BYTES, sequence);
  writer.uint(4, 0); // The length has eight bytes, of which a frame needs four.
  writer.uint(4, content.length);
  return writer.since(0);
}

/** The message id is the salt. */
function derive(dataKey: Buffer, messageId: Buffer, info: Buffer, length: number): Buffer {
  return Buffer.from(hkdfSync('sha512', dataKey, messageId, info, length));
}
