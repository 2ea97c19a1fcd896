import { defined } from '@residency/defined';
import { z } from 'zod';
import { ContractError } from './contract-error.ts';
import { erasureAct, hex64, position } from './fields.ts';

export const objectMetadata = z.strictObject({
  /** The position of the record that created the object. */
  position,
  'sample-sha256': hex64,
  country: z.string().regex(/^[A-Z]{2}$/),
  'policy-digest': hex64,
  'sealed-sha256': hex64,
  'wrapping-key': z.string().min(1).max(128),
  /** Absent: the arbiter never changed. */
  arbiter: z
    .string()
    .regex(/^[1-9]\d{0,8}$/)
    .optional(),
  /** Only of a tombstone: the order that erased the sample. */
  erased: erasureAct.optional(),
});

/**
 * The metadata of an object in a store. An attempt that finds its own object reads from it what it
 * wrote.
 */
export interface ObjectMetadata {
  readonly position: string;
  readonly sampleSha256: string;
  readonly country: string;
  readonly policyDigest: string;
  readonly sealedSha256: string;
  readonly wrappingKey: string;
  /** The number of changes of the region's arbiter before the object was made; absent: none. */
  readonly arbiter?: number;
  /**
   * The `act` of the order that erased the sample. The object is a tombstone then: the other members
   * are the erased record's, and `sealedSha256` is the digest of the tombstone.
   */
  readonly erased?: string;
}

/** Encodes as S3 user metadata: lower-case names, ASCII values. */
export function encodeObjectMetadata(metadata: ObjectMetadata): Record<string, string> {
  return {
    position: metadata.position,
    'sample-sha256': metadata.sampleSha256,
    country: metadata.country,
    'policy-digest': metadata.policyDigest,
    'sealed-sha256': metadata.sealedSha256,
    'wrapping-key': metadata.wrappingKey,
    ...(metadata.arbiter === undefined ? {} : { arbiter: String(metadata.arbiter) }),
    ...defined({ erased: metadata.erased }),
  };
}

/**
 * The inverse of `encodeObjectMetadata`. A store controls the input; anything else throws
 * `INVALID_METADATA`.
 */
export function decodeObjectMetadata(values: Readonly<Record<string, unknown>>): ObjectMetadata {
  const parsed = objectMetadata.safeParse(values);
  if (!parsed.success) {
    throw new ContractError({
      code: 'INVALID_METADATA',
      message: `Expected an object's metadata to have ${Object.keys(objectMetadata.shape).join(', ')}; wrong or missing: ${[...new Set(parsed.error.issues.map((issue) => issue.path.join('.') || 'extra names'))].join(', ')}. The object was not written by a router, or was altered.`,
      remedy: 'park',
    });
  }
  return {
    position: parsed.data.position,
    sampleSha256: parsed.data['sample-sha256'],
    country: parsed.data.country,
    policyDigest: parsed.data['policy-digest'],
    sealedSha256: parsed.data['sealed-sha256'],
    wrappingKey: parsed.data['wrapping-key'],
    ...(parsed.data.arbiter === undefined ? {} : { arbiter: Number(parsed.data.arbiter) }),
    ...defined({ erased: parsed.data.erased }),
  };
}

/**
 * Like `decodeObjectMetadata`. `undefined`: there is none, or none that a router writes. Everybody
 * with write access to the store controls it.
 */
export function objectMetadataIn(
  values: Readonly<Record<string, unknown>> | undefined,
): ObjectMetadata | undefined {
  if (values === undefined) return undefined;
  try {
    return decodeObjectMetadata(values);
  } catch {
    return undefined;
  }
}
