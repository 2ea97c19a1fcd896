import { decodeKafka } from '@residency/cloudevents';
import { BASES, CONFIDENCES, JsonError, readJson } from '@residency/residency';
import type { PolicyPublished, PolicyVersion } from '@residency/residency';
import { z } from 'zod';
import { ContractError } from './contract-error.ts';
import { instant } from './fields.ts';
import { hasTickKey } from './log-record.ts';
import type { LogRecord } from './log-record.ts';
import { policyDigest } from './policy-digest.ts';
import { POLICY_PUBLISHED, POLICY_TICK } from './vocabulary.ts';

const name = z.string().regex(/^[a-z0-9][a-z0-9.-]{0,63}$/, 'not 1 to 64 of a-z 0-9 . -');
export const policyDocument = z.strictObject({
  id: name,
  version: z.int().min(1),
  effectiveFrom: instant,
  regions: z
    .array(
      z.strictObject({
        id: name,
        sites: z.array(name).min(1).max(8),
        settleWith: z.int().min(1).max(8).optional(),
        keepDays: z.number().gt(0).max(36_500).optional(),
      }),
    )
    .min(1)
    .max(16),
  rules: z
    .array(
      z.strictObject({
        id: name,
        region: name,
        from: instant,
        until: instant.optional(),
        // `checkPolicy` decides which strings are country codes, and names the others. A record's
        // code is two upper-case letters, so another string matches no record.
        countries: z
          .array(
            z
              .string()
              .regex(/^[\p{L}\p{M}\p{N}\p{P}\p{S} ]{1,16}$/u, 'not 1 to 16 printable characters'),
          )
          .min(1)
          .max(676),
        basis: z.enum(BASES),
        confidence: z.enum(CONFIDENCES),
        cites: z.array(z.string().min(1).max(500)).min(1).max(20),
      }),
    )
    .min(1)
    .max(500),
  notes: z.array(z.string().min(1).max(2_000)).max(50).optional(),
});

/**
 * Reads a policy document's bytes and adds its digest. Throws `INVALID_POLICY`. `checkPolicy`
 * judges its coverage.
 */
export function readPolicy(bytes: Uint8Array): PolicyVersion {
  let value: unknown;
  try {
    value = readJson(bytes);
  } catch (cause) {
    const problem = cause instanceof JsonError ? cause.problem : 'something else';
    throw new ContractError({
      code: 'INVALID_POLICY',
      message: `Expected a policy document in JSON with one meaning (docs/formats/policy.md), found ${problem}.`,
      remedy: 'stop',
      cause,
    });
  }
  const parsed = policyDocument.safeParse(value);
  if (!parsed.success) {
    const problems = parsed.error.issues
      .map((issue) => `${issue.path.join('.') || 'document'}: ${issue.message}`)
      .join('; ');
    throw new ContractError({
      code: 'INVALID_POLICY',
      message: `Expected a policy document as in docs/formats/policy.md; ${problems}.`,
      remedy: 'stop',
    });
  }
  return { document: parsed.data, digest: policyDigest(parsed.data) };
}

/**
 * Returns `undefined` if the record holds no policy version. The publisher of policies controls the
 * bytes. All readers skip such a record.
 */
export function readPolicyRecord({
  key,
  headers,
  value,
  at,
}: Pick<LogRecord, 'key' | 'headers' | 'value' | 'at'>): PolicyPublished | undefined {
  // Compaction removes what has the key of ticks, and no ledger has it.
  if (hasTickKey({ key })) return undefined;
  try {
    const event = decodeKafka({ headers, value });
    if (event.type !== POLICY_PUBLISHED) return undefined;
    return { ...readPolicy(event.data ?? Buffer.alloc(0)), appendedAt: at };
  } catch {
    // The result depends on the record alone. So any exception is the record's fault.
    return undefined;
  }
}

/** True for a tick. A tick only moves the watermark, and does not count as a skipped record. */
export function isPolicyTick({ headers, value }: Pick<LogRecord, 'headers' | 'value'>): boolean {
  try {
    return decodeKafka({ headers, value }).type === POLICY_TICK;
  } catch {
    return false;
  }
}
