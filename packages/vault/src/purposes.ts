import { ACCESS_FORMS, principal } from '@residency/contracts';
import type { AccessForm } from '@residency/contracts';
import { JsonError, readJson } from '@residency/residency';
import { z } from 'zod';
import { VaultError } from './vault-error.ts';

/** What samples are given out for. Who is not listed may not. */
export interface Purpose {
  readonly id: string;
  /** Who may ask; empty: nobody. */
  readonly principals: readonly string[];
  readonly forms: readonly AccessForm[];
  /** How many approvers other than the asker must agree. */
  readonly approvals: number;
  readonly approvers: readonly string[];
  /** From the request on; nothing is given out later. */
  readonly lifetimeSeconds: number;
  /** For each principal, in 24 hours; `bytes` of samples in the clear. */
  readonly daily: { readonly count: number; readonly bytes: number };
}

/** By id. */
export type Purposes = ReadonlyMap<string, Purpose>;

const names = z.array(principal).max(10_000);
const purpose = z
  .strictObject({
    id: z.string().regex(/^[a-z0-9][a-z0-9-]{0,63}$/),
    principals: names,
    forms: z.array(z.enum(ACCESS_FORMS)).min(1).default(['cart']),
    approvals: z.int().min(0).max(10).default(0),
    approvers: names.default([]),
    lifetimeSeconds: z.int().min(60).max(86_400),
    daily: z.strictObject({
      count: z.int().min(1).max(1_000_000),
      bytes: z.int().min(1),
    }),
  })
  .refine(({ approvals, approvers }) => new Set(approvers).size >= approvals, {
    path: ['approvers'],
  });
const file = z.strictObject({ purposes: z.array(purpose).max(1_000) });

/** A purposes file (docs/how-to/give-access.md). Throws `INVALID_PURPOSES`. */
export function parsePurposes(text: string): Purposes {
  const parsed = file.safeParse(jsonOf(text));
  if (!parsed.success) {
    const paths = parsed.error.issues.map(({ path }) => path.join('.') || 'unknown members');
    throw invalid([...new Set(paths)].slice(0, 5).join(', '));
  }
  const { purposes } = parsed.data;
  const byId = new Map(purposes.map((one) => [one.id, one]));
  if (byId.size < purposes.length) throw invalid('two purposes with one id');
  return byId;
}

function jsonOf(text: string): unknown {
  try {
    return readJson(Buffer.from(text));
  } catch (error) {
    if (error instanceof JsonError) throw invalid(`not JSON with one meaning: ${error.problem}`);
    throw error;
  }
}

function invalid(what: string): VaultError {
  return new VaultError({
    code: 'INVALID_PURPOSES',
    message: `Expected a purposes file as in docs/how-to/give-access.md; wrong: ${what}. Correct it and start again.`,
    remedy: 'stop',
  });
}
