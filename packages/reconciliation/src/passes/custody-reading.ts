import {
  ACCESS_REQUESTED,
  CustodyChain,
  SAMPLE_ACCESSED,
  SAMPLE_COPIED,
  custodyEventIn,
  isWhereEvent,
  objectKey,
  sampleEvent,
  setAsideKey,
} from '@residency/contracts';
import type { CopiedData, CustodyEvent, WhereEvent } from '@residency/contracts';
import type { CustodyFinding } from '@residency/custody';
import type { Difference } from '../difference.ts';
import type { Run } from '../run.ts';
import type { Whereabouts } from '../whereabouts.ts';

/** Reads the custody logs once, judges each event by itself, and keeps it for the fold. */
export async function readCustody(run: Run): Promise<void> {
  const { deps, report, custody } = run;
  const chain = new CustodyChain();
  for await (const bytes of deps.trail.custody()) {
    const event = custodyEventIn(bytes);
    if (event === undefined) {
      report.add(INVALID);
      continue;
    }
    if (!isWhereEvent(event)) {
      for (const difference of judgeOther(run, chain, event, bytes)) report.add(difference);
      if (event.type === SAMPLE_ACCESSED || event.type === ACCESS_REQUESTED)
        custody.mention(event.data);
      continue;
    }
    const { kept, differences } = await judgeEvent(run, chain, event, bytes);
    for (const difference of differences) report.add(difference);
    if (kept) custody.add(sampleEvent(event));
  }
}

/**
 * Call after the events were read: each custody event that was read has its stored event among them
 * (RECONCILIATION §21).
 */
export function judgeUnmet({ custody, report }: Run): void {
  for (const about of custody.unmet())
    report.add({
      code: 'CUSTODY_OF_UNKNOWN',
      ...about,
      message:
        'Expected a custody event to be about a stored sample, found no stored event of its submission at the position that it names; see who else may write to the custody log.',
    });
}

/** The custody events about one stored event that the fold refused. */
export function* judgeFindings(
  { findings }: Whereabouts,
  submission: string,
): Generator<Difference> {
  for (const { code, position, site } of findings)
    yield { code, position, site, submission, message: FINDINGS[code] };
}

const FINDINGS: Readonly<Record<CustodyFinding['code'], string>> = {
  COPY_OF_ANOTHER:
    'Expected a custody event to name the submission and region of the stored event whose position it names, found others; the event does not count.',
  COPY_DIFFERS:
    "Expected a custody event to name the ciphertext of the stored event's first placement, found another; the copy does not count.",
  COPIED_AFTER_ERASURE:
    'Expected no event of a copy after the sample was erased, found one; see whether two custodians run.',
  COPIED_AFTER_LOSS:
    'Expected no event of a copy after the sample was given up, found one; see whether two custodians run.',
  LOST_AFTER_ERASURE:
    'Expected no event that an erased sample is lost, found one; see whether two custodians run.',
  LOST_TWICE:
    'Expected one event that a sample is lost, found a second one; see whether two custodians run.',
  COPIED_TWICE:
    'Expected one event for a copy in a site, found a second one, or one for a site that had its copy from the start; see whether two custodians run.',
};

const INVALID = {
  code: 'CUSTODY_EVENT_INVALID',
  message:
    'Expected a custody event as in docs/formats/custody.md, found a record that is none; see who else may write to the custody log.',
} as const;

/** `kept`: the event counts for the fold. */
async function judgeEvent(
  { deps }: Run,
  chain: CustodyChain,
  event: WhereEvent,
  bytes: Buffer,
): Promise<{ readonly kept: boolean; readonly differences: readonly Difference[] }> {
  const { of: position, submission, region } = event.data;
  const named = sitesIn(event);
  // RECONCILIATION §26.
  for (const site of named) if (!hasSite(deps, region, site)) await deps.learnSite?.(site);
  const stranger = named.find((site) => !hasSite(deps, region, site));
  const about = {
    position,
    submission,
    site: event.type === SAMPLE_COPIED ? event.data.copy.site : (stranger ?? named.join(' ')),
  };
  // Before the chain, which keeps an entry for each region.
  if (!deps.regions().has(region)) return { kept: false, differences: [outside(about)] };
  const differences: Difference[] = [];
  const followed = chain.follow(event, bytes);
  if (followed !== 'next') differences.push({ ...about, ...brokenChain(followed) });
  if (stranger !== undefined) differences.push(outside(about));
  else if (event.type === SAMPLE_COPIED && !hasItsKeys(event.data))
    differences.push({ ...INVALID, ...about, message: KEYS });
  else return { kept: followed !== 'repeated', differences };
  return { kept: false, differences };
}

function sitesIn(event: WhereEvent): readonly string[] {
  return event.type === SAMPLE_COPIED
    ? [event.data.copy.site, event.data.from]
    : event.data.sites.map(({ site }) => site);
}

/** What an order could not repair, its closing event, and accesses: in the chain, and no word of where a sample is. */
function judgeOther(
  { deps }: Run,
  chain: CustodyChain,
  event: CustodyEvent,
  bytes: Buffer,
): readonly Difference[] {
  if (!deps.regions().has(event.data.region)) return [INVALID];
  const followed = chain.follow(event, bytes);
  return followed === 'next' ? [] : [brokenChain(followed)];
}

function brokenChain(followed: 'broken' | 'repeated'): Difference {
  return {
    code: 'CUSTODY_CHAIN_BROKEN',
    message:
      followed === 'repeated'
        ? "Expected a region's custody events to be numbered upwards, found a number that was there before; two custodians may have written, or a record was appended twice."
        : 'Expected a custody event to have the next number and to name the digest of the event before it, found otherwise; an event before this one is missing or was altered.',
  };
}

const KEYS =
  "Expected a custody event to name its submission's keys, found others; the copy does not count.";

function outside(about: Pick<Difference, 'position' | 'submission' | 'site'>): Difference {
  return {
    code: 'WRONG_REGION',
    ...about,
    message:
      "Expected a custody event to name sites of its region in some policy version, found another site: a custodian says that it copied a sample there, or from there, or erased it there, or looked for it there. Compare the site's objects.",
  };
}

function hasSite({ regions }: Run['deps'], region: string, site: string): boolean {
  return regions().get(region)?.has(site) ?? false;
}

function hasItsKeys({ submission, copy, setAside }: CopiedData): boolean {
  return (
    copy.key === objectKey(submission) &&
    (setAside === undefined || setAside.key === setAsideKey(submission, setAside.sha256))
  );
}
