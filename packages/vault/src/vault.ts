import { codeOf, remedyOf } from '@residency/coded-error';
import { gate } from '@residency/consent';
import {
  ACCESS_APPROVED,
  ACCESS_REFUSED,
  ACCESS_REQUESTED,
  REFERENCE,
  SAMPLE_ACCESSED,
  formatPosition,
  isStoredIn,
  objectKey,
  parsePosition,
  sha256,
  storedSample,
} from '@residency/contracts';
import type { AccessForm, AccessRefusal, StoredEvent } from '@residency/contracts';
import type {
  Access,
  AccessDesk,
  AccessFact,
  AccessTerms,
  CustodianSites,
} from '@residency/custodianship';
import type { ConsentView, SettledOutcomes } from '@residency/routing';
import { requireFresh } from './access-id.ts';
import type { Opener } from './ports/opener.ts';
import type { Packed, Packer } from './ports/packer.ts';
import type { PublishedLedger } from './ports/published-ledger.ts';
import { mayApprove, mayAsk } from './purposes.ts';
import type { Asker, Purpose, Purposes } from './purposes.ts';
import { SampleSearch } from './sample-search.ts';
import type { FoundSamples, SampleQuery } from './sample-search.ts';
import { VaultError, refused } from './vault-error.ts';

export interface VaultDeps {
  readonly region: string;
  readonly purposes: Purposes;
  /** A keyed digest, lower-case hex, so that the ledger shows no reference. */
  readonly referenceDigest: (reference: string) => string;
  /** Of the active custodian of the region; `undefined`: this process is not it. */
  readonly desk: () => AccessDesk | undefined;
  readonly outcomes: SettledOutcomes;
  readonly consents: ConsentView;
  readonly sites: CustodianSites;
  readonly opener: Opener;
  readonly packer: Packer;
  readonly ledger: PublishedLedger;
  /** Wall clock, milliseconds. */
  readonly now: () => number;
  /** From one look at the ledger to the next. Resolves early once `signal` is aborted. */
  readonly pause: (signal: AbortSignal) => Promise<void>;
}

/** What somebody asks for. */
export interface AccessOrder {
  /** A UUID of version 7 that the asker made. The same order with the same id is one access. */
  readonly access: string;
  readonly submission: string;
  readonly purpose: string;
  /** Why, in the asker's own words, such as a ticket's number. Only its digest is kept. */
  readonly reference: string;
  readonly form: AccessForm;
  /** The position of the `stored` event; absent: the one that the objects in the sites name. */
  readonly of?: string;
}

/** What an access is by now. */
export interface AccessReport {
  readonly access: string;
  readonly state: 'requested' | 'accessed';
  /** Nothing is given out at this instant or later, milliseconds. */
  readonly until: number;
  /** How many must still approve. */
  readonly missingApprovals: number;
}

/** A sample that may leave now. */
export interface Released extends Packed {
  /** How long the access lives still, milliseconds; from 0 on down nothing more may leave. */
  readonly msLeft: () => number;
}

type Accessed = Extract<Access, { readonly state: 'accessed' }>;
interface Judged {
  readonly purpose: Purpose;
  readonly stored: StoredEvent;
}

const DAY_MS = 24 * 60 * 60 * 1_000;
/** Events about refusals that one principal may cause in a day. The log is for ever. */
const MOST_REFUSALS = 1_000;

/**
 * Gives out samples of one region: first an event, then a published checkpoint that contains it, then
 * the sample (docs/decisions/0048). All methods throw `VaultError`, and the ports' errors with remedy
 * `retry`; then nothing was given out. A refusal that an event records is thrown with its code.
 */
export class Vault {
  readonly #deps: VaultDeps;
  readonly #search: SampleSearch;

  constructor(deps: VaultDeps) {
    this.#deps = deps;
    this.#search = new SampleSearch(deps);
  }

  /** Records what was asked for. A repetition changes nothing and answers the same. */
  async request(asker: Asker, order: AccessOrder): Promise<AccessReport> {
    const { now, referenceDigest } = this.#deps;
    const { principal } = asker;
    requireReference(order.reference);
    const desk = this.#desk();
    const reference = referenceDigest(order.reference);
    const known = desk.book.get(order.access);
    if (known !== undefined) {
      requireSame(known, principal, { ...order, reference });
      return reportOf(order.access, known);
    }
    requireFresh(order.access, now());
    const judged = await this.#judge(desk, asker, order, () => this.#find(desk, order));
    const at = now();
    await this.#record(desk, order.access, principal, at, (book) => {
      if (book.get(order.access) !== undefined) return undefined;
      if (typeof judged === 'string') return judged;
      const { purpose, stored } = judged;
      const until = at + purpose.lifetimeSeconds * 1_000;
      const terms: AccessTerms = {
        access: order.access,
        of: formatPosition(stored.position),
        submission: order.submission,
        principal,
        purpose: purpose.id,
        reference,
        form: order.form,
        until,
      };
      if (purpose.approvals > 0)
        return {
          type: ACCESS_REQUESTED,
          data: { ...wordsOf(terms), approvals: purpose.approvals },
        };
      return accessedFact(book, { ...judged, terms, at, approvedBy: [] });
    });
    const recorded = desk.book.get(order.access);
    if (recorded === undefined) throw unknown();
    requireSame(recorded, principal, { ...order, reference });
    return reportOf(order.access, recorded);
  }

  /** This process is the region's active custodian. */
  get isActive(): boolean {
    return this.#deps.desk() !== undefined;
  }

  /**
   * Samples that the region stored, in the order of the audit log. An answer ends early, with `next`,
   * after 20,000 records or once `signal` is aborted. Counted for each principal by this process
   * alone; no event records it (docs/decisions/0053).
   */
  async search(asker: Asker, query: SampleQuery, signal: AbortSignal): Promise<FoundSamples> {
    return await this.#search.find(this.#desk(), asker, query, signal);
  }

  /** True if this principal may know of the access. */
  knows(asker: Asker, access: string): boolean {
    const known = this.#deps.desk()?.book.get(access);
    return known !== undefined && this.#mayKnow(asker, known);
  }

  /** What became of it. For the asker, and for approvers while it waits for them. */
  async report(asker: Asker, access: string): Promise<AccessReport> {
    const desk = this.#desk();
    const known = desk.book.get(access);
    if (known === undefined || !this.#mayKnow(asker, known)) throw await missing(desk, unknown());
    return reportOf(access, known);
  }

  /** Records that somebody else agrees. A repetition changes nothing. */
  async approve(asker: Asker, access: string): Promise<AccessReport> {
    const { principal } = asker;
    const desk = this.#desk();
    const at = this.#deps.now();
    const known = desk.book.get(access);
    if (known === undefined) throw await missing(desk, unknown());
    if (known.state === 'refused') throw refused(known.code);
    if (known.state === 'accessed' && known.approvedBy.includes(principal))
      return reportOf(access, known);
    let code: AccessRefusal | undefined;
    await this.#record(desk, access, principal, at, (book) => {
      const found = book.get(access);
      if (found?.state !== 'requested' || found.approvedBy.includes(principal)) return undefined;
      code = this.#approvalRefusal(found.terms, asker, at);
      // A second attempt for the same reason is not another event.
      if (code !== undefined)
        return book.refusedApproval(access, principal) === code ? undefined : code;
      return { type: ACCESS_APPROVED, data: { access, principal } };
    });
    if (code !== undefined) throw refused(code);
    const found = desk.book.get(access);
    if (found?.state === 'requested') return reportOf(access, found);
    throw new VaultError({
      code: 'ACCESS_ENDED',
      message: 'Expected a request that waits for approvals, found one that does not any more.',
      remedy: 'stop',
    });
  }

  /**
   * The sample of an access of this principal, packed. Resolves once a published checkpoint contains
   * the event, and this process was the region's active custodian after that. Throws
   * `CHECKPOINT_PENDING` once `signal` is aborted. `limit` runs the part that has the sample in
   * memory. The caller sends it at once, and stops when the access has ended: an erasure waits no
   * longer.
   */
  async release(
    asker: Asker,
    access: string,
    signal: AbortSignal,
    limit: <T>(work: () => Promise<T>) => Promise<T> = (work) => work(),
  ): Promise<Released> {
    const desk = this.#desk();
    const { terms, value } = await this.#accessed(desk, asker, access);
    await this.#published(value, terms, signal);
    return await limit(async () => {
      const { packer, now } = this.#deps;
      // Judged anew: somebody may be listed no more, or a consent withdrawn, since.
      const judged = await this.#judge(desk, asker, terms, () =>
        this.#storedAt(terms.of, terms.submission),
      );
      if (typeof judged === 'string') throw refused(judged);
      const sample = await this.#open(desk, judged.stored);
      const packed = await packer.pack(terms.form, sample, judged.stored.data.sampleSha256);
      await desk.confirm();
      requireAlive(terms, now());
      return { ...packed, msLeft: () => terms.until - now() };
    });
  }

  /** The access once its event is recorded; an approved request is recorded here. */
  async #accessed(desk: AccessDesk, asker: Asker, access: string): Promise<Accessed> {
    const { principal } = asker;
    const known = desk.book.get(access);
    const owner = known?.state === 'refused' ? known.principal : known?.terms.principal;
    // Of others' accesses too, so that the time of an answer does not tell them apart.
    if (known === undefined || owner !== principal) throw await missing(desk, unknown());
    if (known.state === 'refused') throw refused(known.code);
    const at = this.#deps.now();
    requireAlive(known.terms, at);
    if (known.state === 'accessed') return known;
    if (known.approvedBy.length < known.approvals) throw await missing(desk, notApproved());
    const { terms } = known;
    const judged = await this.#judge(desk, asker, terms, () =>
      this.#storedAt(terms.of, terms.submission),
    );
    await this.#record(desk, access, principal, at, (book) => {
      const found = book.get(access);
      if (found?.state !== 'requested') return undefined;
      if (typeof judged === 'string') return judged;
      return accessedFact(book, { ...judged, terms, at, approvedBy: found.approvedBy });
    });
    const recorded = desk.book.get(access);
    if (recorded?.state === 'refused') throw refused(recorded.code);
    if (recorded?.state !== 'accessed') throw unknown();
    return recorded;
  }

  /** Appends what `decide` returns: a fact, or a refusal of this principal. */
  async #record(
    desk: AccessDesk,
    access: string,
    principal: string,
    at: number,
    decide: (book: AccessDesk['book']) => AccessFact | AccessRefusal | undefined,
  ): Promise<void> {
    let exhausted = false;
    await desk.append((book) => {
      const decided = decide(book);
      if (typeof decided !== 'string') return decided;
      exhausted = book.refusalsSince(at - DAY_MS, principal) >= MOST_REFUSALS;
      return exhausted
        ? undefined
        : { type: ACCESS_REFUSED, data: { access, principal, code: decided } };
    }, at);
    if (exhausted)
      throw new VaultError({
        code: 'REFUSALS_EXHAUSTED',
        message: `Expected fewer than ${MOST_REFUSALS} refusals of one principal in a day, found as many; nothing more is recorded for it, and nothing given out. Ask the operator.`,
        remedy: 'stop',
      });
  }

  #mayKnow(asker: Asker, known: Access): boolean {
    const { principal } = asker;
    if (known.state === 'refused') return known.principal === principal;
    if (known.terms.principal === principal) return true;
    const purpose = this.#deps.purposes.get(known.terms.purpose);
    return known.state === 'requested' && purpose !== undefined && mayApprove(purpose, asker);
  }

  #approvalRefusal(terms: AccessTerms, asker: Asker, at: number): AccessRefusal | undefined {
    if (asker.principal === terms.principal) return 'APPROVAL_BY_ASKER';
    const purpose = this.#deps.purposes.get(terms.purpose);
    if (purpose === undefined || !mayApprove(purpose, asker)) return 'APPROVER_NOT_ALLOWED';
    return at < terms.until ? undefined : 'APPROVAL_EXPIRED';
  }

  #desk(): AccessDesk {
    const desk = this.#deps.desk();
    if (desk !== undefined) return desk;
    throw new VaultError({
      code: 'CUSTODIAN_NOT_ACTIVE',
      message:
        "Expected this process to be the region's active custodian, found that it is not now; ask the other one, or this one again.",
      remedy: 'retry',
    });
  }

  async #published(leaf: Buffer, terms: AccessTerms, signal: AbortSignal): Promise<void> {
    const { ledger, pause, now } = this.#deps;
    while (!(await ledger.contains(leaf))) {
      requireAlive(terms, now());
      if (signal.aborted)
        throw new VaultError({
          code: 'CHECKPOINT_PENDING',
          message:
            'Expected a published checkpoint that contains this access, found none yet. Ask for the sample again; it stays one access. If it lasts, see whether the auditor runs.',
          remedy: 'retry',
        });
      await pause(signal);
    }
  }

  /** Whether this asker may have the sample now: its purpose, the form, its owner's consent. */
  async #judge(
    desk: AccessDesk,
    asker: Asker,
    { purpose: id, form }: Pick<AccessTerms, 'form' | 'purpose'>,
    find: () => Promise<StoredEvent | undefined>,
  ): Promise<Judged | AccessRefusal> {
    const { purposes, consents, now } = this.#deps;
    const purpose = purposes.get(id);
    if (purpose === undefined) return 'PURPOSE_UNKNOWN';
    if (!mayAsk(purpose, asker)) return 'PURPOSE_NOT_ALLOWED';
    if (!purpose.forms.includes(form)) return 'FORM_NOT_ALLOWED';
    const stored = await find();
    if (stored === undefined) return 'SUBMISSION_UNKNOWN';
    if (desk.isErased(stored)) return 'SAMPLE_ERASED';
    const { consentId } = stored.data;
    const { histories } = await consents.read([consentId]);
    const consent = gate(histories.get(consentId) ?? [], now());
    if (!consent.given) return 'CONSENT_WITHDRAWN';
    if (desk.isLost(stored)) throw sampleLost();
    return { purpose, stored };
  }

  /** The `stored` event of a submission. `undefined`: there is none in this region. */
  async #find(desk: AccessDesk, { submission, of }: AccessOrder): Promise<StoredEvent | undefined> {
    if (of !== undefined) return await this.#storedAt(of, submission);
    const read = await fromSites(this.#deps.sites, desk.serving(), async (site) => {
      const position = (await site.metadata(objectKey(submission)))?.position;
      return position === undefined ? undefined : await this.#storedAt(position, submission);
    });
    if (read.found === undefined && read.away !== undefined) throw sampleAway(read.away);
    return read.found;
  }

  async #storedAt(position: string, submission: string): Promise<StoredEvent | undefined> {
    const outcome = await this.#deps.outcomes.outcomeOf(parsePosition(position));
    if (outcome.state !== 'settled') return undefined;
    const { event } = outcome;
    return isStoredIn(this.#deps.region, event) && event.data.submission === submission
      ? event
      : undefined;
  }

  /** The sample in the clear, with the digest that its event names, from whichever site has it. */
  async #open(desk: AccessDesk, stored: StoredEvent): Promise<Buffer> {
    const { opener, sites } = this.#deps;
    const { submission, sampleSha256 } = stored.data;
    const holding = storedSample(stored);
    const { found, away, bad } = await fromSites(sites, desk.sitesWith(holding), async (site) => {
      const bytes = (await site.read(objectKey(submission)))?.bytes;
      if (bytes === undefined || sha256(bytes) !== holding.placements[0].sealedSha256)
        return undefined;
      const opened = await opener.open(bytes);
      return opened.submission === submission && sha256(opened.sample) === sampleSha256
        ? opened.sample
        : undefined;
    });
    if (found !== undefined) return found;
    if (away !== undefined) throw sampleAway(away);
    const why = bad === undefined ? 'other bytes, or none' : codeOf(bad);
    throw new VaultError({
      code: 'SAMPLE_NOT_GOOD',
      message: `Expected a site of the region to have the sample as its event names it, and its key to open it, found neither in any (${why}). Run \`residency site repair\`, or bring the key back, then ask again.`,
      remedy: 'stop',
      cause: bad,
    });
  }
}

/** The first that `read` finds. `away`, `bad`: why a site did not give it, now or at all. */
async function fromSites<T>(
  sites: CustodianSites,
  names: readonly string[],
  read: (site: Awaited<ReturnType<CustodianSites['site']>>) => Promise<T | undefined>,
): Promise<{ readonly found?: T; readonly away?: unknown; readonly bad?: unknown }> {
  let [away, bad]: unknown[] = [];
  for (const name of names) {
    try {
      const found = await read(await sites.site(name));
      if (found !== undefined) return { found };
    } catch (error) {
      if (codeOf(error) === undefined) throw error;
      // What one site has must not keep the others from being asked.
      if (remedyOf(error) === 'retry') away = error;
      else bad = error;
    }
  }
  return { away, bad };
}

/**
 * The error, if this custodian is the active one. One that was frozen lacks what its successor
 * recorded: then this throws as `AccessDesk.confirm`.
 */
async function missing(desk: AccessDesk, error: VaultError): Promise<VaultError> {
  await desk.confirm();
  return error;
}

/** `accessed`, or why not: the limits count what is recorded, whatever became of it. */
function accessedFact(
  book: AccessDesk['book'],
  {
    terms,
    purpose,
    stored,
    at,
    approvedBy,
  }: Judged & {
    readonly terms: AccessTerms;
    readonly at: number;
    readonly approvedBy: readonly string[];
  },
): AccessFact | AccessRefusal {
  const { count, bytes } = book.usedSince(at - DAY_MS, terms);
  const { sampleBytes } = stored.data;
  if (count + 1 > purpose.daily.count || bytes + sampleBytes > purpose.daily.bytes)
    return 'LIMIT_REACHED';
  return {
    type: SAMPLE_ACCESSED,
    data: {
      ...wordsOf(terms),
      bytes: sampleBytes,
      ...(approvedBy.length === 0 ? {} : { approvedBy: [...approvedBy] }),
    },
  };
}

function wordsOf({ until, ...terms }: AccessTerms): Omit<AccessTerms, 'until'> & { until: string } {
  return { ...terms, until: new Date(until).toISOString() };
}

/** Throws the refusal of an access that was refused. */
function reportOf(access: string, known: Access): AccessReport {
  if (known.state === 'refused') throw refused(known.code);
  return {
    access,
    state: known.state,
    until: known.terms.until,
    missingApprovals:
      known.state === 'requested' ? Math.max(0, known.approvals - known.approvedBy.length) : 0,
  };
}

function requireSame(
  known: Access,
  principal: string,
  order: Pick<AccessTerms, 'form' | 'purpose' | 'reference' | 'submission'> & {
    readonly of?: string;
  },
): void {
  const isSame =
    known.state === 'refused'
      ? known.principal === principal
      : known.terms.principal === principal &&
        known.terms.submission === order.submission &&
        known.terms.purpose === order.purpose &&
        known.terms.reference === order.reference &&
        known.terms.form === order.form &&
        (order.of === undefined || known.terms.of === order.of);
  if (!isSame)
    throw new VaultError({
      code: 'ACCESS_ID_REUSED',
      message:
        'Expected an access id that stands for this request, found it in use for another. Make a new one for each request.',
      remedy: 'stop',
    });
}

function requireAlive({ until }: AccessTerms, now: number): void {
  if (now >= until)
    throw new VaultError({
      code: 'ACCESS_EXPIRED',
      message:
        'Expected an access within its lifetime, found it over. Ask anew, with another access id.',
      remedy: 'stop',
    });
}

function requireReference(reference: string): void {
  if (!REFERENCE.test(reference))
    throw new VaultError({
      code: 'REFERENCE_INVALID',
      message:
        'Expected a reference of 1 to 256 characters without control characters, found another. Shorten it, such as to the number of a ticket.',
      remedy: 'stop',
    });
}

function unknown(): VaultError {
  return new VaultError({
    code: 'ACCESS_UNKNOWN',
    message: 'Expected an access of yours with this id, found none. Ask for the sample first.',
    remedy: 'stop',
  });
}

function notApproved(): VaultError {
  return new VaultError({
    code: 'NOT_APPROVED',
    message:
      'Expected the approvals that the purpose needs, found too few. Ask its approvers, then repeat this.',
    remedy: 'stop',
  });
}

function sampleAway(cause: unknown): VaultError {
  return new VaultError({
    code: 'SAMPLE_AWAY',
    message:
      'Expected a site of the region to return the sample, found that the ones that may have it do not answer. Repeat this later.',
    remedy: 'retry',
    cause,
  });
}

function sampleLost(): VaultError {
  return new VaultError({
    code: 'SAMPLE_LOST',
    message:
      'Expected a sample that the region has, found that it lost it and gave it up. If it was sent again since, ask without its position, or with that of the new one.',
    remedy: 'stop',
  });
}
