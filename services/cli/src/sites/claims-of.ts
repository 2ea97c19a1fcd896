import { codeOf, remedyOf } from '@residency/coded-error';
import { KeySet, findClaims } from '@residency/custodianship';
import type { AuditFeed, CustodyReading, FoundClaims, ListedSites } from '@residency/custodianship';
import type { System } from '../system/system.ts';
import { interruptible } from '../terminal/interruptible.ts';
import type { Session } from '../terminal/session.ts';

/**
 * The claims of a region whose routers are fenced. `sites`: those that will serve, the arbiter to come
 * first; they are listed while the logs are read.
 */
export async function claimsOf(
  session: Session,
  system: System,
  region: string,
  sites: readonly [next: string, ...others: string[]],
): Promise<FoundClaims> {
  const { audit, custody, register } = await system.claimSources(region);
  return await findClaims({
    sites,
    listed: listOf(session, system, region, sites),
    audit: interruptibleFeed(session, audit),
    custody: interruptibleLog(session, custody),
    ...(register === undefined
      ? {}
      : {
          register: {
            ...register,
            passedOver: (code, error) => {
              const why = [code, codeOf(error)].filter((one) => one !== undefined).join(', ');
              const read = code === 'REGISTER_WITHOUT_SITE' ? 'the audit log is' : 'both logs are';
              session.output.note(
                `The register of ${region} is passed over, and ${read} read from the start (${why}).`,
              );
            },
          },
        }),
  });
}

async function listOf(
  session: Session,
  system: System,
  region: string,
  sites: readonly [next: string, ...others: string[]],
): Promise<ListedSites> {
  const list = async (site: string): Promise<readonly [string, KeySet]> => {
    const keys = new KeySet();
    try {
      for await (const page of interruptible(session, system.submissionsIn(site, region)))
        for (const submission of page) keys.add(submission);
    } catch (error) {
      // A later site that does not answer holds nothing for sure.
      if (site === sites[0] || remedyOf(error) !== 'retry') throw error;
    }
    return [site, keys];
  };
  return new Map(await Promise.all(sites.map(list)));
}

function interruptibleFeed(session: Session, feed: AuditFeed): AuditFeed {
  return {
    partitions: () => feed.partitions(),
    read: (partition, from) => interruptible(session, feed.read(partition, from)),
  };
}

function interruptibleLog(session: Session, custody: CustodyReading): CustodyReading {
  return { ...custody, read: (from) => interruptible(session, custody.read(from)) };
}
