import { MessageFields, notSealed } from './message-fields.ts';
import {
  COMMIT_KEY_BYTES,
  FRAMED,
  IV_BYTES,
  LAST_FRAME,
  SEQUENCE_BYTES,
  TAG_BYTES,
} from './message-format.ts';
import { headerFields } from './sealed-header.ts';

/**
 * The length of an opened message, from its start to the end of its last frame (developer guide,
 * "message format reference", framed data; our suite has no footer). The SDK ignores bytes after
 * it. Throws `NOT_A_SEALED_SAMPLE`.
 */
export function messageLength(message: Uint8Array): number {
  const fields = new MessageFields(message);
  headerFields(fields);
  if (fields.uint(1) !== FRAMED) throw notSealed();
  const frame = fields.uint(4);
  fields.bytes(COMMIT_KEY_BYTES + TAG_BYTES);
  while (fields.uint(SEQUENCE_BYTES) !== LAST_FRAME) fields.bytes(IV_BYTES + frame + TAG_BYTES);
  fields.bytes(SEQUENCE_BYTES + IV_BYTES);
  fields.bytes(fields.uint(4));
  fields.bytes(TAG_BYTES);
  return fields.at;
}
