import { MessageFields, notSealed } from './message-fields.ts';
import type { SealingContext } from './sealing-context.ts';
import { SealingError } from './sealing-error.ts';

/**
 * The names in a message's encryption context; `aws-crypto-` is the SDK's own prefix and never
 * ours.
 */
export function encodeContext(context: SealingContext): Record<string, string> {
  return {
    region: context.region,
    'policy-digest': context.policyDigest,
    'sample-sha256': context.sampleSha256,
    submission: context.submission,
  };
}

const HEX64 = /^[0-9a-f]{64}$/;

/**
 * The inverse of `encodeContext`: exactly the four values, well-formed. Otherwise throws
 * `CONTEXT_INVALID`. The sealer of the sample controls the input.
 */
export function decodeContext(values: Readonly<Record<string, string>>): SealingContext {
  const {
    region,
    'policy-digest': policyDigest,
    'sample-sha256': sampleSha256,
    submission,
    ...others
  } = values;
  const whole =
    region !== undefined &&
    /^[a-z0-9][a-z0-9.-]{0,63}$/.test(region) &&
    policyDigest !== undefined &&
    HEX64.test(policyDigest) &&
    sampleSha256 !== undefined &&
    HEX64.test(sampleSha256) &&
    submission !== undefined &&
    HEX64.test(submission) &&
    Object.keys(others).length === 0;
  if (!whole) {
    throw new SealingError({
      code: 'CONTEXT_INVALID',
      message:
        'Expected region, policy-digest, sample-sha256 and submission bound to the message and nothing else; found otherwise. A router did not seal this.',
      remedy: 'stop',
    });
  }
  return { region, policyDigest, sampleSha256, submission };
}

/**
 * The bytes of an encryption context, UTF-8, sorted by name (SPEC, framework/structures.md,
 * "encryption context", serialization). A value too long for its field throws `RangeError`.
 */
export function writeContext(values: Readonly<Record<string, string>>): Buffer {
  const pairs = Object.entries(values)
    .map(([name, value]) => ({ name: Buffer.from(name), value, bytes: Buffer.byteLength(value) }))
    .sort((a, b) => a.name.compare(b.name));
  if (pairs.length === 0) return Buffer.alloc(0); // An empty context has no count.
  let length = 2;
  for (const { name, bytes } of pairs) length += 2 + name.length + 2 + bytes;
  const context = Buffer.allocUnsafe(length);
  let at = context.writeUInt16BE(pairs.length);
  for (const { name, value, bytes } of pairs) {
    at = context.writeUInt16BE(name.length, at);
    at += name.copy(context, at);
    at = context.writeUInt16BE(bytes, at);
    at += context.write(value, at);
  }
  return context;
}

/** The inverse of `writeContext`, in any order. A name twice is `NOT_A_SEALED_SAMPLE`. */
export function readContext(bytes: Uint8Array): Record<string, string> {
  const fields = new MessageFields(bytes);
  if (fields.atEnd) return {};
  const pairs = Array.from({ length: fields.uint(2) }, (): [string, string] => [
    fields.text(),
    fields.text(),
  ]);
  if (!fields.atEnd || new Set(pairs.map(([name]) => name)).size < pairs.length) throw notSealed();
  return Object.fromEntries(pairs);
}

/**
 * The key provider's name in a message: a data key wrapped for one region never looks like
 * another's.
 */
export function keyNamespace(region: string): string {
  return `residency/${region}`;
}
