import { CodedError } from '@residency/coded-error';
import { auditEventIn, formatPosition, isStoredIn, storedSample } from '@residency/contracts';
import type { ClaimedIdentity, StoredEvent } from '@residency/contracts';
import { holdingOf } from '@residency/custody';
import { AuditFold } from './audit-fold.ts';
import { concurrently } from './concurrently.ts';
import { CustodyHead } from './custody-head.ts';
import { KeySet } from './key-set.ts';
import type { OffsetSet } from './offset-set.ts';
import { openRegister } from './open-register.ts';
import type { OpenRegisterDeps } from './open-register.ts';
import { runsOf } from './runs-of.ts';
import type { Run } from './runs-of.ts';
import type { AuditFeed } from './ports/audit-feed.ts';
import type { CustodyReading } from './ports/custody-log.ts';

/** By site: the submissions that have an object in it. */
export type ListedSites = ReadonlyMap<string, Pick<KeySet, 'has' | 'hasKey'>>;

export interface FindClaimsDeps {
  /** The sites that will serve, the arbiter to come first. */
  readonly sites: readonly [next: string, ...others: string[]];
  /** No transaction may be undecided. */
  readonly audit: AuditFeed;
  /** Of the region whose arbiter changes. */
  readonly custody: CustodyReading;
  /** Awaited once the logs are read. */
  readonly listed: Promise<ListedSites>;
  /** A custodian's, of the same region. Absent: both logs are read from their start. */
  readonly register?: Omit<OpenRegisterDeps<CustodyReading>, 'custody' | 'audit'>;
}

export interface FoundClaims {
  readonly claims: readonly ClaimedIdentity[];
  /** Stored samples of which no site that will serve has an object, by the logs and its list. */
  readonly unheld: number;
  /** Records of the audit log that were read. A record that is read twice counts twice. */
  readonly auditRecords: number;
}

/** Readings of the audit log at a time. */
const AT_ONCE = 8;
const NOTHING = new KeySet();

/**
 * The identities that somebody owns and whose object the arbiter to come lacks: stored samples, and
 * records that a duplicate or a conflict names as the owner before they are settled
 * (docs/decisions/0036, rules 1 and 5).
 * The routers must be fenced, so that the log says of every record whether it is settled.
 *
 * Both logs are read to their end, from the register's places if there is one. Then the events of the
 * samples that the arbiter to come lacks are read again, for the claims (docs/decisions/0047).
 * Memory: 8 bytes for each record of the audit log, and 4 for each copy that a custodian made.
 */
export async function findClaims({ register, ...deps }: FindClaimsDeps): Promise<FoundClaims> {
  const found = await findFrom(deps, register);
  if (found !== undefined) return found;
  register?.passedOver('REGISTER_AHEAD_OF_LOG');
  const whole = register && (await findFrom(deps));
  if (whole !== undefined) return whole;
  throw new CodedError({
    code: 'AUDIT_LOG_CHANGED',
    remedy: 'retry',
    message:
      'Expected the audit log to have every record that was read from it a moment ago, found that it does not. See who works on that log, then repeat this.',
  });
}

type LogDeps = Omit<FindClaimsDeps, 'register'>;

/** `undefined`: the audit log does not say what is kept of it. */
async function findFrom(
  deps: LogDeps,
  register?: FindClaimsDeps['register'],
): Promise<FoundClaims | undefined> {
  const [logs, listed] = await Promise.all([readLogs(deps, register), deps.listed]);
  const { fold, records } = logs;
  const runs = fold.partitions.flatMap((partition) =>
    runsOf(partition, lackedIn(partition, deps.sites[0], fold, listed)),
  );
  const read = await concurrently(runs, AT_ONCE, (run) => readRun(run, deps, logs, listed));
  const lacked = read.flatMap((one) => one ?? []);
  if (read.includes(undefined)) return undefined;
  return {
    // Of two about one identity the stored one counts: it comes last.
    claims: [...fold.owners.all, ...lacked.flatMap(({ claims }) => claims)],
    unheld: lacked.reduce((sum, { unheld }) => sum + unheld, 0),
    auditRecords: lacked.reduce((sum, one) => sum + one.records, records),
  };
}

interface ReadLogs {
  readonly fold: AuditFold;
  readonly records: number;
}

async function readLogs(
  { sites: [next], audit, custody }: LogDeps,
  register: FindClaimsDeps['register'],
): Promise<ReadLogs> {
  const { region } = custody;
  const opened = register && (await openRegister({ ...register, custody, audit }));
  const head = opened?.head ?? (await CustodyHead.read(custody));
  // Only a register of a time when the site was in service says what it lacks. Who got copies it says
  // of every site.
  const about = opened?.register.sites.includes(next) === true ? opened : undefined;
  if (opened !== undefined && about === undefined) register?.passedOver('REGISTER_WITHOUT_SITE');
  const saved = about?.register ?? { sites: [next] };
  const fold = new AuditFold({ region, head, saved, last: about?.last });
  let records = 0;
  for (const partition of await audit.partitions())
    for await (const record of audit.read(partition, fold.next(partition))) {
      fold.follow(partition, record);
      records += 1;
    }
  return { fold, records };
}

/** The stored samples of which a site may have no object: by the logs so far, or by its list. */
function lackedIn(
  partition: number,
  site: string,
  { debts, stored }: AuditFold,
  listed: ListedSites,
): OffsetSet {
  const lacked = debts.offsets(site, partition);
  for (const offset of stored.without(partition, listed.get(site) ?? NOTHING)) lacked.add(offset);
  return lacked;
}

interface Lacked {
  readonly claims: readonly ClaimedIdentity[];
  readonly unheld: number;
  readonly records: number;
}

/** `undefined`: a wanted record is no event of the sample that is kept for its offset. */
async function readRun(
  { partition, from, to, wanted, count }: Run,
  { sites, audit, custody: { region } }: LogDeps,
  { fold }: ReadLogs,
  listed: ListedSites,
): Promise<Lacked | undefined> {
  const claims: ClaimedIdentity[] = [];
  let [found, unheld, records] = [0, 0, 0];
  for await (const { offset, value } of audit.read(partition, from)) {
    records += 1;
    if (wanted.has(offset)) {
      const event = auditEventIn(value);
      if (!isStoredIn(region, event) || !fold.stored.has(partition, offset, event.data.submission))
        return undefined;
      found += 1;
      // What was given up owns no identity any more. Erased, it has a tombstone, or must have one.
      if (fold.isLost(event) && !fold.isErased(event)) continue;
      const has = sitesWith(event, sites, fold, listed);
      if (!has.includes(sites[0])) claims.push(claimOf(event));
      // What was erased is no loss.
      if (has.length === 0 && !fold.isErased(event)) unheld += 1;
    }
    if (offset >= to) break;
  }
  return found === count ? { claims, unheld, records } : undefined;
}

/** The sites that have the sample's object, by the logs and by their lists. */
function sitesWith(
  event: StoredEvent,
  sites: readonly string[],
  fold: AuditFold,
  listed: ListedSites,
): readonly string[] {
  const holding = fold.withCopies(holdingOf(storedSample(event)), { sites });
  return sites.filter(
    (site) =>
      listed.get(site)?.has(holding.submission) === true &&
      holding.copies.some((copy) => copy.site === site),
  );
}

function claimOf({ position, data }: StoredEvent): ClaimedIdentity {
  const { submission, sampleSha256, country } = data;
  return { submission, of: formatPosition(position), sampleSha256, country };
}
