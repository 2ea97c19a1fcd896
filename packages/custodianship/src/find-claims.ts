import {
  SAMPLE_COPIED,
  auditEventIn,
  custodyEventIn,
  namedOwner,
  parsePosition,
  sampleCopied,
  storedSample,
} from '@residency/contracts';
import type { AuditEvent, ClaimedIdentity, Position } from '@residency/contracts';
import { holdingOf } from '@residency/custody';
import { CopyPrints } from './copy-prints.ts';
import type { KeySet } from './key-set.ts';
import { partitionOf, placeOf } from './place-of.ts';

export interface FindClaimsDeps {
  readonly region: string;
  /** The sites that will serve, the arbiter to come first. */
  readonly sites: readonly string[];
  /** Every audit event, each partition's in order. No transaction may be undecided. */
  readonly audit: AsyncIterable<Buffer>;
  /** Every event of the region's custody log, in order. */
  readonly custody: AsyncIterable<Buffer>;
  /** By site: the submissions that have an object in it. */
  readonly listed: ReadonlyMap<string, Pick<KeySet, 'has'>>;
}

export interface FoundClaims {
  readonly claims: readonly ClaimedIdentity[];
  /** Stored samples of which no site that will serve has an object, by the logs and its list. */
  readonly unheld: number;
}

/**
 * The identities that somebody owns and whose object the arbiter to come lacks: stored samples, and
 * records that a duplicate or a conflict names as the owner before they are settled
 * (docs/decisions/0036, rules 1 and 5).
 * The routers must be fenced, so that the log says of every record whether it is settled.
 */
export async function findClaims(deps: FindClaimsDeps): Promise<FoundClaims> {
  const { region, sites, listed } = deps;
  const [next] = sites;
  const copied = await copiesIn(deps.custody);
  const last = new LastSettled();
  const named = new Map<string, ClaimedIdentity>();
  const claims: ClaimedIdentity[] = [];
  let unheld = 0;
  for await (const value of deps.audit) {
    const event = auditEventIn(value);
    if (event === undefined) continue;
    last.see(event.position);
    if (!('decision' in event.data) || event.data.decision?.region !== region) continue;
    if (event.outcome !== 'stored') {
      const claim = claimBy(event);
      if (claim !== undefined && !last.isSettled(claim.of)) named.set(claim.of, claim);
      continue;
    }
    const holding = holdingOf(storedSample(event));
    const { position, submission, copies } = holding;
    const has = sites.filter(
      (site) =>
        listed.get(site)?.has(submission) === true &&
        (copies.some((copy) => copy.site === site) ||
          copied.find(site, position, holding) === 'copied'),
    );
    if (next !== undefined && has.includes(next)) continue;
    const { sampleSha256, country } = event.data;
    claims.push({ submission, of: position, sampleSha256, country });
    if (has.length === 0) unheld += 1;
  }
  const unsettled = [...named.values()].filter(({ of }) => !last.isSettled(of));
  // Of two about one identity the stored one counts: it comes last.
  return { claims: [...unsettled, ...claims], unheld };
}

/**
 * The owner that a duplicate or a conflict names. `undefined`: none, or one of another log. No event
 * of this log will say what became of that one, so every record of the identity would wait for it.
 */
function claimBy(event: AuditEvent): ClaimedIdentity | undefined {
  const owner = namedOwner(event);
  const { submission } = event.data;
  if (owner === undefined || submission === undefined) return undefined;
  const { log, topic } = parsePosition(owner.of);
  return log === event.position.log && topic === event.position.topic
    ? { submission, ...owner }
    : undefined;
}

/** The copies that were made after the `stored` events. */
async function copiesIn(custody: AsyncIterable<Buffer>): Promise<CopyPrints> {
  const prints = new CopyPrints();
  for await (const value of custody) {
    const event = custodyEventIn(value);
    if (event?.type !== SAMPLE_COPIED) continue;
    const { of, submission, region, copy } = sampleCopied(event);
    prints.add(copy.site, of, { submission, region, ...copy });
  }
  return prints;
}

class LastSettled {
  readonly #offsets = new Map<string, bigint>();

  see(position: Position): void {
    this.#offsets.set(partitionOf(position), position.offset);
  }

  isSettled(position: string): boolean {
    const [partition, offset] = placeOf(position);
    return offset <= (this.#offsets.get(partition) ?? -1n);
  }
}
