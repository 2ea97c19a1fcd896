import { decodeContext, keyNamespace, readContext } from './encryption-context.ts';
import { MessageFields, notSealed } from './message-fields.ts';
import { MESSAGE_ID_BYTES, MESSAGE_VERSION, SUITE } from './message-format.ts';
import type { SealingContext } from './sealing-context.ts';
import { SealingError } from './sealing-error.ts';

/** The header of a sealed message. It is not authenticated before the message is opened. */
export interface SealedHeader extends SealingContext {
  /** Ids of the keys its data key is wrapped with: ours have one. */
  readonly wrappingKeys: readonly string[];
}

/**
 * Reads the header of an AWS Encryption SDK message, format version 2 (developer guide, "message
 * format reference"), without a key. The SDK's own reader is declared to be for the SDK alone.
 * Stores control the bytes: anything but a message of ours throws `NOT_A_SEALED_SAMPLE` or
 * `CONTEXT_INVALID`.
 */
export function readSealedHeader(message: Uint8Array): SealedHeader {
  return headerFields(new MessageFields(message));
}

/** Reads up to the last wrapped data key; the content type is next. */
export function headerFields(fields: MessageFields): SealedHeader {
  if (fields.uint(1) !== MESSAGE_VERSION || fields.uint(2) !== SUITE) throw notSealed();
  fields.bytes(MESSAGE_ID_BYTES);
  const context = decodeContext(readContext(fields.bytes(fields.uint(2))));
  const namespace = keyNamespace(context.region);
  const wrappingKeys = Array.from({ length: fields.uint(2) }, () => {
    const provider = fields.text();
    const id = fields.text();
    fields.bytes(fields.uint(2));
    if (provider !== namespace) {
      throw new SealingError({
        code: 'CONTEXT_INVALID',
        message: `Expected a data key wrapped for ${namespace}, to which the message is bound; found another key provider. A router did not seal this.`,
        remedy: 'stop',
      });
    }
    return id;
  });
  return { ...context, wrappingKeys };
}
