import { remedyOf } from '@residency/coded-error';
import { objectKey } from '@residency/contracts';
import type { CopiedData, ErasedData, NotRepairedData, UnpaidCode } from '@residency/contracts';
import type { Holding } from '@residency/custody';
import { defined } from '@residency/defined';
import { copySample } from './copy-sample.ts';
import type { CopyDeps, MadeCopy } from './copy-sample.ts';
import type { CustodyHead } from './custody-head.ts';
import type { Debt } from './debt.ts';
import { erasedData } from './erase-sample.ts';
import type { ErasedSite } from './erase-sample.ts';
import type { CustodianSite } from './ports/custodian-site.ts';
import { unlessAway } from './unless-away.ts';

export interface PayDeps extends CopyDeps {
  readonly head: CustodyHead;
  /** Wall clock, milliseconds. */
  readonly now: () => number;
  /** As those of `Erasures`. */
  readonly erasures: {
    orderOf(debt: Debt): string | undefined;
    eraseAt(site: CustodianSite, debt: Debt, order: string): Promise<ErasedSite | undefined>;
  };
}

/** What became of a batch of debts. What is in none of the lists is still owed. */
export interface Payment {
  readonly paid: readonly { readonly debt: Debt; readonly copy: Omit<CopiedData, 'previous'> }[];
  /** Erased samples of which the site has the tombstone now. */
  readonly erased: readonly { readonly debt: Debt; readonly data: Omit<ErasedData, 'previous'> }[];
  /** Copies that cannot be made for a reason that does not pass by itself. */
  readonly unpaid: readonly { readonly debt: Debt; readonly code: UnpaidCode }[];
  /** Copies whose place an unsettled record has, if the order postpones them. */
  readonly postponed: readonly Debt[];
  /** Why a copy was not even tried to its end: a site does not answer. */
  readonly away?: unknown;
  /** Why a tombstone was not put. The site may take copies all the same. */
  readonly notErased?: unknown;
}

/** By which copies are made although the site had them before. */
export interface ByOrder {
  readonly act: string;
  /** Whether it comes back to a copy whose place an unsettled record has (`STRANGER_UNSETTLED`). */
  readonly postpones: boolean;
}

/**
 * Makes the copies, then appends their events in one transaction. What an order cannot make gets an
 * event too. Throws the custody log's
 * errors, and a site's if it is not `retry`.
 */
export async function payBatch(
  site: CustodianSite,
  debts: readonly Debt[],
  deps: PayDeps,
  by?: ByOrder,
): Promise<Payment> {
  const results = await Promise.all(debts.map((debt) => attempt(site, debt, deps)));
  const made = results.flatMap(({ debt, copy }) => (copy === undefined ? [] : [{ debt, copy }]));
  const gone = results.flatMap(({ debt, erased: at }) => (at === undefined ? [] : [{ debt, at }]));
  const flushed =
    made.length + gone.length === 0 ? undefined : await unlessAway(() => site.flush());
  if (flushed?.away !== undefined)
    return { paid: [], erased: [], unpaid: [], postponed: [], away: flushed.away };
  const paid = made.map(({ debt, copy }) => ({
    debt,
    copy: { ...copiedData(debt.holding, site.site, copy), ...defined({ order: by?.act }) },
  }));
  const erased = gone.map(({ debt, at: { order, at } }) => ({
    debt,
    data: { ...erasedData(debt, order, [at]), ...defined({ repair: by?.act }) },
  }));
  const failed = results.flatMap(({ debt, code }) => (code === undefined ? [] : [{ debt, code }]));
  const isPostponed = ({ code }: (typeof failed)[number]): boolean =>
    by?.postpones === true && code === 'STRANGER_UNSETTLED';
  const unpaid = failed.filter((one) => !isPostponed(one));
  await deps.head.append(
    {
      copies: paid.map(({ copy }) => copy),
      erased: erased.map(({ data }) => data),
      notRepaired:
        by === undefined ? [] : notRepaired(unpaid, { site: site.site, order: by.act }, deps.head),
    },
    deps.now(),
  );
  const away = results.find((result) => result.away !== undefined)?.away;
  const postponed = failed.filter(isPostponed).map(({ debt }) => debt);
  const notErased = results.find((result) => result.notErased !== undefined)?.notErased;
  return { paid, erased, unpaid, postponed, ...defined({ away, notErased }) };
}

/** What an order could not make anew, unless its last event about it says so already. */
function notRepaired(
  unpaid: Payment['unpaid'],
  by: { readonly site: string; readonly order: string },
  head: CustodyHead,
): readonly Omit<NotRepairedData, 'previous'>[] {
  return unpaid
    .filter(({ debt: { holding } }) => !head.isNotRepaired(by.order, holding.position))
    .map(({ debt: { holding }, code }) => ({
      of: holding.position,
      submission: holding.submission,
      region: holding.region,
      ...by,
      code,
    }));
}

interface Attempted {
  readonly debt: Debt;
  readonly copy?: MadeCopy;
  readonly erased?: { readonly order: string; readonly at: ErasedSite };
  readonly code?: UnpaidCode;
  readonly away?: unknown;
  readonly notErased?: unknown;
}

async function attempt(
  site: CustodianSite,
  debt: Debt,
  deps: CopyDeps & Pick<PayDeps, 'erasures'>,
): Promise<Attempted> {
  try {
    if (debt.isErased) return await eraseAgain(site, debt, deps.erasures);
    const { value: result, away } = await unlessAway(() => copySample(debt.holding, site, deps));
    if (result === undefined) return { debt, away };
    if ('from' in result) return { debt, copy: result };
    // Both pass by themselves.
    if ('sourceAway' in result || result.unpaid === 'CHANGED_MEANWHILE') return { debt };
    return { debt, code: result.unpaid };
  } catch (error) {
    // It concerns this key alone, and a person.
    if (remedyOf(error) === 'park') return { debt, code: 'OBJECT_UNREADABLE' };
    throw error;
  }
}

/** A site that came back, or is new, gets the tombstone too. */
async function eraseAgain(
  site: CustodianSite,
  debt: Debt,
  erasures: PayDeps['erasures'],
): Promise<Attempted> {
  const order = erasures.orderOf(debt);
  if (order === undefined) return { debt };
  const { value: at, away } = await unlessAway(() => erasures.eraseAt(site, debt, order));
  if (away !== undefined) return { debt, notErased: away };
  return at === undefined ? { debt } : { debt, erased: { order, at } };
}

function copiedData(
  { position, submission, region, sealedSha256, sealedBytes }: Holding,
  site: string,
  { from, metadata, versionId, setAside }: MadeCopy,
): Omit<CopiedData, 'previous'> {
  return {
    of: position,
    submission,
    region,
    from,
    copy: {
      site,
      key: objectKey(submission),
      sealedSha256,
      sealedBytes,
      wrappingKey: metadata.wrappingKey,
      ...defined({ versionId }),
    },
    ...defined({ setAside }),
  };
}
