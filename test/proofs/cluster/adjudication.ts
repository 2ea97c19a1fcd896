import { canonicalJson, decide, policyInForce } from '@residency/residency';
import type { PolicyPublished } from '@residency/residency';
import { sha256 } from '../on-disk.ts';
import type { AuditRow, IntakeRow } from '../on-disk.ts';
import { inForce } from './policy-changes.ts';
import type { VersionOnLog } from './policy-changes.ts';

export interface Adjudication {
  /** The differences, each as a sentence. */
  readonly differences: readonly string[];
  /** The number of events decided under each version. */
  readonly decidedUnder: ReadonlyMap<number, number>;
}

interface Decided {
  readonly region: string;
  readonly rule: string;
  readonly policy: { readonly id: string; readonly version: number; readonly digest: string };
}

/**
 * Decides every record again, from the intake log's country and append time and the policy log
 * alone, and compares the result with its event.
 */
export function adjudicate(
  intake: readonly IntakeRow[],
  audit: readonly AuditRow[],
  versions: readonly VersionOnLog[],
): Adjudication {
  const policies = versions.map(({ document, appendedAt }): PolicyPublished => ({
    document,
    appendedAt,
    digest: sha256(Buffer.from(canonicalJson(document))),
  }));
  const rows = new Map(intake.map((row) => [`${row.partition}/${row.offset}`, row]));
  const decidedUnder = new Map<number, number>();
  const differences = audit.flatMap((event) => {
    const row = rows.get(`${event.partition}/${event.offset}`);
    if (row === undefined) return [`${event.id}: no record`];
    const { decision } = event.data as { readonly decision?: Decided };
    const policy = policyInForce(policies, row.at);
    const again = policy === undefined ? undefined : decide(policy, country(row), row.at);
    if (decision !== undefined)
      decidedUnder.set(
        decision.policy.version,
        (decidedUnder.get(decision.policy.version) ?? 0) + 1,
      );
    const byHand = inForce(versions, row.at)?.document.version;
    const must =
      again?.known === true
        ? text({ region: again.region, rule: again.rule.id, policy: again.policy })
        : 'nothing';
    // An event without a decision: its country must have none, unless an earlier check failed.
    const found =
      decision === undefined
        ? event.data.reason === 'COUNTRY_UNKNOWN'
          ? 'nothing'
          : must
        : text(decision);
    if (found !== must) return [`${event.id}: decided ${found}, again ${must}`];
    return decision === undefined || decision.policy.version === byHand
      ? []
      : [
          `${event.id}: decided under version ${decision.policy.version}, in force was ${String(byHand)}`,
        ];
  });
  return { differences, decidedUnder };
}

function country({ headers }: IntakeRow): string {
  return headers.get('ce_usercountry')?.toString('utf8') ?? '';
}

function text({ region, rule, policy: { id, version, digest } }: Decided): string {
  return `${region} by ${rule} of ${id}/${version} ${digest}`;
}
