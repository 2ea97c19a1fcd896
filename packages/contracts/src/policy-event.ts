import { decodeKafka } from '@residency/cloudevents';
import { hasCode, remedyOf } from '@residency/coded-error';
import { BASES, CONFIDENCES, canonicalJson, parseInstant } from '@residency/residency';
import type { PolicyDocument, PolicyPublished, PolicyVersion } from '@residency/residency';
import { z } from 'zod';
import { ContractError } from './contract-error.ts';
import { sha256 } from './digest.ts';
import type { LogRecord } from './log-record.ts';

/** A policy version on `residency.policy`: structured CloudEvent, data = the document. */
export const POLICY_PUBLISHED = 'policy.published.v1';
/** Moves an idle policy log's watermark; carries nothing. */
export const POLICY_TICK = 'policy.tick.v1';

const name = z.string().regex(/^[a-z0-9][a-z0-9.-]{0,63}$/, 'not 1 to 64 of a-z 0-9 . -');
const instant = z.string().refine((text) => parseInstant(text) !== undefined, 'not RFC 3339');
const schema = z.strictObject({
  id: name,
  version: z.int().min(1),
  effectiveFrom: instant,
  regions: z
    .array(z.strictObject({ id: name, sites: z.array(name).min(1).max(8) }))
    .min(1)
    .max(16),
  rules: z
    .array(
      z.strictObject({
        id: name,
        region: name,
        from: instant,
        until: instant.optional(),
        // Which strings are codes is `checkPolicy`'s to say, by name: a record's code is two upper-case letters, so any other matches none.
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

/** Reads a policy document's bytes and names it by its digest; throws `INVALID_POLICY`. Coverage is `checkPolicy`'s to judge. */
export function readPolicy(bytes: Uint8Array): PolicyVersion {
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(bytes).toString('utf8'));
  } catch (cause) {
    throw new ContractError({
      code: 'INVALID_POLICY',
      message:
        'Expected a policy document in JSON (docs/formats/policy.md), found something that is not JSON.',
      remedy: 'stop',
      cause,
    });
  }
  const parsed = schema.safeParse(value);
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

/** `undefined` where the record holds no policy version: whoever may publish policies controls it; readers pass over it alike. */
export function readPolicyRecord({
  headers,
  value,
  at,
}: Pick<LogRecord, 'headers' | 'value' | 'at'>): PolicyPublished | undefined {
  try {
    const event = decodeKafka({ headers, value });
    if (event.type !== POLICY_PUBLISHED) return undefined;
    return { ...readPolicy(event.data ?? Buffer.alloc(0)), appendedAt: at };
  } catch (error) {
    if (remedyOf(error) === 'park' || hasCode(error, 'INVALID_POLICY')) return undefined;
    throw error;
  }
}

/** SHA-256 over the RFC 8785 form; lower-case hex. */
export function policyDigest(document: PolicyDocument): string {
  return sha256(Buffer.from(canonicalJson(document), 'utf8'));
}
