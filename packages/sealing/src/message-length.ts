import { MessageFields, notSealed } from './message-fields.ts';
import { headerFields } from './sealed-header.ts';

const FRAMED = 2;
const COMMITMENT_BYTES = 32;
const SEQUENCE_BYTES = 4;
const LAST_FRAME = 0xffff_ffff;
const IV_BYTES = 12;
const TAG_BYTES = 16;

/**
 * Bytes from the beginning of a message that opened to the end of its last frame (developer guide, "message format
 * reference", framed data; our suite has no footer). The SDK ignores what stands behind it. Throws `NOT_A_SEALED_SAMPLE`.
 */
export function messageLength(message: Uint8Array): number {
  const fields = new MessageFields(message);
  headerFields(fields);
  if (fields.uint(1) !== FRAMED) throw notSealed();
  const frame = fields.uint(4);
  fields.bytes(COMMITMENT_BYTES + TAG_BYTES);
  while (fields.uint(SEQUENCE_BYTES) !== LAST_FRAME) fields.bytes(IV_BYTES + frame + TAG_BYTES);
  fields.bytes(SEQUENCE_BYTES + IV_BYTES);
  fields.bytes(fields.uint(4));
  fields.bytes(TAG_BYTES);
  return fields.at;
}
