import { ACCESS_FORMS, principal, purposeId } from '@residency/contracts';
import type { AccessForm } from '@residency/contracts';
import { JsonError, readJson } from '@residency/residency';
import { z } from 'zod';
import { VaultError } from './vault-error.ts';

/** What samples are given out for. Who is not listed may not. */
export interface Purpose {
  readonly id: string;
  /** Who may ask; with no groups either: nobody. */
  readonly principals: readonly string[];
  /** Whose members may ask. */
  readonly groups: readonly string[];
  readonly forms: readonly AccessForm[];
  /** How many approvers other than the asker must agree. */
  readonly approvals: number;
  readonly approvers: readonly string[];
  readonly approverGroups: readonly string[];
  /** From the request on; nothing is given out later. */
  readonly lifetimeSeconds: number;
  /** For each principal, in 24 hours; `bytes` of samples in the clear. */
  readonly daily: {
    readonly count: number;
    readonly bytes: number;
    /** Answers to searches, and the samples that they name; 0: nobody may search. */
    readonly searches: number;
    readonly results: number;
  };
}

/** Who asks, as the request's token says. */
export interface Asker {
  /** A pseudonym. */
  readonly principal: string;
  readonly groups: readonly string[];
}

export function mayAsk({ principals, groups: listed }: Purpose, asker: Asker): boolean {
  return principals.includes(asker.principal) || isIn(asker, listed);
}

/** Whether the asker may approve others' requests. */
export function mayApprove({ approvers, approverGroups }: Purpose, asker: Asker): boolean {
  return approvers.includes(asker.principal) || isIn(asker, approverGroups);
}

function isIn(asker: Asker, listed: readonly string[]): boolean {
  return asker.groups.some((group) => listed.includes(group));
}

/** By id. */
export type Purposes = ReadonlyMap<string, Purpose>;

const names = z.array(principal).max(10_000);
const groups = z
  .array(z.string().regex(/^[^\p{Cc}\p{Cs}]{1,128}$/u))
  .max(1_000)
  .default([]);
const purpose = z
  .strictObject({
    id: purposeId,
    principals: names,
    groups,
    forms: z.array(z.enum(ACCESS_FORMS)).min(1).default(['cart']),
    approvals: z.int().min(0).max(10).default(0),
    approvers: names.default([]),
    approverGroups: groups,
    lifetimeSeconds: z.int().min(60).max(86_400),
    daily: z
      .strictObject({
        count: z.int().min(1).max(1_000_000),
        bytes: z.int().min(1),
        searches: z.int().min(0).max(10_000).default(0),
        results: z.int().min(0).max(10_000_000).default(0),
      })
      // One without the other would allow nothing.
      .refine(({ searches, results }) => (searches === 0) === (results === 0), {
        path: ['results'],
      }),
  })
  .refine(
    ({ approvals, approvers, approverGroups }) =>
      approverGroups.length > 0 || new Set(approvers).size >= approvals,
    { path: ['approvers'] },
  );
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
