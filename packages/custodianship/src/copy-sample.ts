import { remedyOf } from '@residency/coded-error';
import { objectKey, parsePosition, sha256 } from '@residency/contracts';
import type { ObjectMetadata, UnpaidCode } from '@residency/contracts';
import type { Holding } from '@residency/custody';
import { defined } from '@residency/defined';
import type { SettledOutcomes } from '@residency/routing';
import type { CustodianSite, FoundCopy, NewCopy } from './ports/custodian-site.ts';

/** A copy that is in its site; its event is not appended yet. */
export interface MadeCopy {
  readonly from: string;
  readonly metadata: ObjectMetadata;
  readonly versionId?: string;
  readonly setAside?: { readonly key: string; readonly sha256: string };
}

/** The sites that a copy may be made from. */
export interface Sources {
  /**
   * `away`: it failed a short while ago. `unknown`: it is out of service, or no policy says that the
   * region has it, so an event that names it is wrong. Throws as `CustodianSites.site`.
   */
  site(name: string): Promise<CustodianSite | 'away' | 'unknown'>;
  /** The site did not answer. */
  failed(name: string, error: unknown): void;
}

export interface CopyDeps {
  readonly sources: Sources;
  readonly outcomes: SettledOutcomes;
}

export type CopyResult =
  | MadeCopy
  | { readonly unpaid: UnpaidCode }
  /** A site that may have a good copy does not answer. */
  | { readonly sourceAway: true };

/**
 * Gives `target` the holding's ciphertext, from a site that has it. Whatever else has the key is
 * kept aside first and then replaced, unless it is, or may become, another stored sample. May be
 * repeated. Throws the target's and the log's errors (retry, stop; park concerns this key alone).
 */
export async function copySample(
  holding: Holding,
  target: CustodianSite,
  deps: CopyDeps,
): Promise<CopyResult> {
  const key = objectKey(holding.submission);
  // An earlier attempt may have come this far; then no source is needed.
  const before = await target.read(key);
  if (hasCiphertext(before, holding)) return made(target.site, before.metadata, before.versionId);
  const source = await goodCopy(holding, target.site, deps.sources);
  if (source === 'away') return { sourceAway: true };
  if (source === undefined)
    return { unpaid: holding.unequal.length > 0 ? 'ONLY_ANOTHER_CIPHERTEXT' : 'NO_GOOD_COPY' };
  const copy: NewCopy = { key, bytes: source.bytes, metadata: source.metadata };
  if (before !== undefined)
    return await replace(before, copy, source.site, { holding, target, deps });
  const created = await target.create(copy);
  if (created.written) return made(source.site, source.metadata, created.versionId);
  // Somebody was faster, or an answer was lost. The next attempt reads what is there.
  return { unpaid: 'CHANGED_MEANWHILE' };
}

async function replace(
  found: FoundCopy,
  copy: NewCopy,
  from: string,
  {
    holding,
    target,
    deps,
  }: { readonly holding: Holding; readonly target: CustodianSite; readonly deps: CopyDeps },
): Promise<CopyResult> {
  const stranger = await judgeStranger(found, holding, deps.outcomes);
  if (stranger !== undefined) return { unpaid: stranger };
  const setAside = await target.setAside(holding.submission, found);
  const replaced = await target.replace(copy, found);
  if (replaced.written) return { ...made(from, copy.metadata, replaced.versionId), setAside };
  // After a lost answer, what has the key by now may be this very copy.
  const now = await target.read(copy.key);
  return isCopy(now, copy)
    ? { ...made(from, copy.metadata, now.versionId), setAside }
    : { unpaid: 'CHANGED_MEANWHILE' };
}

function made(from: string, metadata: ObjectMetadata, versionId: string | undefined): MadeCopy {
  return { from, metadata, ...defined({ versionId }) };
}

interface GoodCopy {
  readonly site: string;
  readonly bytes: Buffer;
  readonly metadata: ObjectMetadata;
}

/**
 * The first site that has the holding's bytes with their metadata. `undefined`: every site answered,
 * and none has them. `away`: one that may have them does not answer.
 */
async function goodCopy(
  { submission, sealedSha256, copies }: Holding,
  target: string,
  sources: Sources,
): Promise<GoodCopy | 'away' | undefined> {
  let isAway = false;
  for (const { site } of copies) {
    if (site === target) continue;
    try {
      const source = await sources.site(site);
      isAway ||= source === 'away';
      if (typeof source === 'string') continue;
      const found = await source.read(objectKey(submission));
      if (hasCiphertext(found, { sealedSha256 }))
        return { site, bytes: found.bytes, metadata: found.metadata };
    } catch (error) {
      // What cannot be read at this key is no copy.
      if (remedyOf(error) === 'park') continue;
      if (remedyOf(error) !== 'retry') throw error;
      sources.failed(site, error);
      isAway = true;
    }
  }
  return isAway ? 'away' : undefined;
}

export type RoutersCopy = FoundCopy & { readonly metadata: ObjectMetadata };

/** True if the object has this ciphertext, and metadata that say so. */
export function hasCiphertext(
  found: FoundCopy | undefined,
  { sealedSha256 }: Pick<Holding, 'sealedSha256'>,
): found is RoutersCopy {
  return found?.metadata?.sealedSha256 === sealedSha256 && sha256(found.bytes) === sealedSha256;
}

function isCopy(found: FoundCopy | undefined, { metadata }: NewCopy): found is RoutersCopy {
  return hasCiphertext(found, metadata) && found.metadata.position === metadata.position;
}

/**
 * Why what has the key may not be replaced; `undefined`: it may. An intact object of another record
 * may be a stored sample: then two are stored under one identity, and neither is displaced (0036).
 * Bytes that are not what their metadata say are no sample.
 */
export async function judgeStranger(
  { bytes, metadata }: FoundCopy,
  { position, submission }: Holding,
  outcomes: SettledOutcomes,
): Promise<UnpaidCode | undefined> {
  if (metadata === undefined || metadata.position === position) return undefined;
  if (sha256(bytes) !== metadata.sealedSha256) return undefined;
  const outcome = await outcomes.outcomeOf(parsePosition(metadata.position));
  switch (outcome.state) {
    case 'unsettled':
      return 'STRANGER_UNSETTLED';
    case 'foreign':
    case 'forgotten':
    case 'beyond':
      return 'STRANGER_UNKNOWN';
    case 'settled':
      return outcome.event.outcome === 'stored' && outcome.event.data.submission === submission
        ? 'STORED_TWICE'
        : undefined;
    default:
      return outcome satisfies never;
  }
}
