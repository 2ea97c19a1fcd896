import { decodeContext, keyNamespace } from './encryption-context.ts';
import { MessageFields, notSealed } from './message-fields.ts';
import type { SealingContext } from './sealing-context.ts';
import { SealingError } from './sealing-error.ts';

/** AES-256-GCM, HKDF-SHA-512, key commitment, no signature (AWS Encryption SDK, algorithm suites). */
export const SUITE = 0x0478;
const MESSAGE_VERSION = 2;
const MESSAGE_ID_BYTES = 32;

/** What a message says of itself before anybody opened it: true only once it opened. */
export interface SealedHeader extends SealingContext {
  /** Ids of the keys its data key is wrapped with: ours have one. */
  readonly wrappingKeys: readonly string[];
}

/**
 * Reads the header of an AWS Encryption SDK message, format version 2 (developer guide, "message format reference"),
 * without a key. The SDK's own reader is declared to be for the SDK alone. Stores control the bytes: anything but a
 * message of ours throws `NOT_A_SEALED_SAMPLE` or `CONTEXT_INVALID`.
 */
export function readSealedHeader(message: Uint8Array): SealedHeader {
  return headerFields(new MessageFields(message));
}

/** Reads up to the last wrapped data key; the content type is next. */
export function headerFields(fields: MessageFields): SealedHeader {
  if (fields.uint(1) !== MESSAGE_VERSION || fields.uint(2) !== SUITE) throw notSealed();
  fields.bytes(MESSAGE_ID_BYTES);
  const context = decodeContext(readContext(new MessageFields(fields.bytes(fields.uint(2)))));
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

function readContext(fields: MessageFields): Record<string, string> {
  if (fields.atEnd) return {}; // An empty context has no count.
  const pairs = Array.from({ length: fields.uint(2) }, (): [string, string] => [
    fields.text(),
    fields.text(),
  ]);
  if (!fields.atEnd || new Set(pairs.map(([name]) => name)).size < pairs.length) throw notSealed();
  return Object.fromEntries(pairs);
}
