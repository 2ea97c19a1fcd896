import { randomBytes } from 'node:crypto';
import { codeOf } from '@residency/coded-error';
import { defined } from '@residency/defined';
import type { Session } from '../terminal/session.ts';
import { newAccessId } from './access-id.ts';
import type { JournalTerms } from './access-journal.ts';
import type { SampleFolder } from './sample-folder.ts';
import type { AccessState, Refusal, VaultAnswer, VaultClient } from './vault-client.ts';

/** What became of one submission, or one access. */
export type Result = { readonly submission?: string; readonly access?: string } & (
  | { readonly state: 'saved'; readonly file: string; readonly bytes: number }
  /** It was there already. */
  | { readonly state: 'present'; readonly file: string; readonly bytes: number }
  /** Others must approve it. */
  | { readonly state: 'waits'; readonly until?: string; readonly missingApprovals?: number }
  /** Its lifetime is over. */
  | { readonly state: 'over' }
  | ({ readonly state: 'refused' } & Refusal)
  /** No site with it answers, or its transfer ended early. */
  | ({ readonly state: 'away' } & Refusal)
  /** Another file has its name. */
  | { readonly state: 'taken'; readonly file: string }
  /** A line of the list that is no submission. */
  | { readonly state: 'invalid'; readonly line: number }
  | { readonly state: 'not-asked' }
);

/** What was asked for; its sample is to be fetched. */
export interface Pending {
  readonly state: 'pending';
  readonly submission: string;
  readonly access: string;
  /** Absent: the id is too old to be asked for again, but its access may be alive. */
  readonly asked?: AccessState;
  /** The id was made by this run. */
  readonly isNew: boolean;
}

export interface SampleGetterDeps {
  readonly session: Session;
  readonly client: VaultClient;
  readonly folder: SampleFolder;
  readonly terms: JournalTerms;
  /** What is over or was refused gets a new id. */
  readonly again: boolean;
}

/** The vault would say the same of every other submission. */
const FOR_ALL: ReadonlySet<string> = new Set([
  'PURPOSE_UNKNOWN',
  'PURPOSE_NOT_ALLOWED',
  'FORM_NOT_ALLOWED',
  'LIMIT_REACHED',
  'REFUSALS_EXHAUSTED',
  'REGION_UNKNOWN',
  'REFERENCE_INVALID',
  'ACCESS_INVALID',
  'ACCESS_ID_STALE',
]);
/** The access can not be used any more, or the vault has forgotten it. */
const OVER: ReadonlySet<string> = new Set(['ACCESS_EXPIRED', 'ACCESS_UNKNOWN']);
/** They are about one sample, and may pass. */
const OF_ONE: ReadonlySet<string> = new Set(['SAMPLE_AWAY', 'TRANSFER_BROKEN']);

/** Asks for samples and saves them. The first new access is asked for alone: it may be refused for all. */
export class SampleGetter {
  readonly #deps: SampleGetterDeps;
  #first: Promise<unknown> | undefined;
  #stopped: string | undefined;

  constructor(deps: SampleGetterDeps) {
    this.#deps = deps;
  }

  /** The code that the vault would answer for every other submission too. Nothing is asked any more. */
  get stopped(): string | undefined {
    return this.#stopped;
  }

  /** Throws as `VaultClient` and `AccessJournal`, but nothing that is about this submission alone. */
  async ask(submission: string): Promise<Result | Pending> {
    const { folder, again } = this.#deps;
    const present = await presentIn(folder, submission);
    if (present !== undefined) return { submission, ...present };
    const access = folder.journal.find(submission)?.access;
    if (access === undefined) return await this.#askAnew(submission);
    await folder.journal.settled();
    const result = await this.#request(submission, access, false);
    return result.state === 'refused' && again ? await this.#askAnew(submission, access) : result;
  }

  /** The sample of what was asked for. Throws as `ask`. */
  async fetch(pending: Pending): Promise<Result> {
    const { submission, access, isNew } = pending;
    const result = await fetchAccess(this.#deps, access, submission);
    if (result.state === 'refused') this.#stopIfForAll(result.code);
    if (result.state === 'waits') {
      const { until, missingApprovals } = pending.asked ?? {};
      return { ...result, submission, access, ...defined({ until, missingApprovals }) };
    }
    const isOver = result.state === 'over' || result.state === 'refused';
    if (!isOver || isNew || !this.#deps.again) return { ...result, submission, access };
    const renewed = await this.#askAnew(submission, access);
    return renewed.state === 'pending' ? await this.fetch(renewed) : renewed;
  }

  /** `earlier`: the access that is over or was refused. */
  async #askAnew(submission: string, earlier?: string): Promise<Result | Pending> {
    if (this.#first !== undefined) await this.#first;
    const asked = this.#requestAnew(submission, earlier);
    this.#first ??= asked;
    return await asked;
  }

  async #requestAnew(submission: string, earlier?: string): Promise<Result | Pending> {
    const { folder, session } = this.#deps;
    // The same submission may be in the list twice: the other one may have asked meanwhile.
    const known = folder.journal.find(submission)?.access;
    if (known !== undefined && known !== earlier) {
      await folder.journal.settled();
      return await this.#request(submission, known, true);
    }
    if (this.#stopped !== undefined) return { submission, state: 'not-asked' };
    const access = newAccessId(session.now(), randomBytes(10));
    await folder.journal.keepAccess(submission, access);
    return await this.#request(submission, access, true);
  }

  async #request(submission: string, access: string, isNew: boolean): Promise<Result | Pending> {
    const { client, terms } = this.#deps;
    const { purpose, reference, form } = terms;
    if (this.#stopped !== undefined) return { submission, state: 'not-asked' };
    const answer = await ofOne(() =>
      client.request(access, { submission, purpose, reference, form }),
    );
    if (answer.kind === 'done')
      return { state: 'pending', submission, access, asked: answer.value, isNew };
    const { kind, code, detail } = answer;
    if (kind === 'away') return { submission, access, state: 'away', code, detail };
    // Whether it is over, the vault says to who asks for its sample.
    if (code === 'ACCESS_ID_STALE' && !isNew)
      return { state: 'pending', submission, access, isNew };
    // An earlier run's refusal need not be the answer to a new request.
    if (isNew) this.#stopIfForAll(code);
    return { submission, access, state: 'refused', code, detail };
  }

  #stopIfForAll(code: string): void {
    if (FOR_ALL.has(code)) this.#stopped ??= code;
  }
}

/** Saves the sample of an access. `key`: as in the journal. Throws as `SampleGetter.ask`. */
export async function fetchAccess(
  { client, folder }: Pick<SampleGetterDeps, 'client' | 'folder'>,
  access: string,
  key = access,
): Promise<Result> {
  const present = await presentIn(folder, key);
  if (present?.access === access) return present;
  const answer = await ofOne(() => client.sample(access));
  if (answer.kind === 'done') return { access, ...(await folder.save(key, access, answer.value)) };
  const { kind, code, detail } = answer;
  if (kind === 'away') return { access, state: 'away', code, detail };
  if (code === 'NOT_APPROVED') return { access, state: 'waits' };
  // Of an access that was asked for elsewhere, the vault's own words say more.
  return OVER.has(code) && key !== access
    ? { access, state: 'over' }
    : { access, state: 'refused', code, detail };
}

/** The file that the journal has for this key, if it is there. */
async function presentIn(
  folder: SampleFolder,
  key: string,
): Promise<(Result & { readonly access: string }) | undefined> {
  const { access, saved } = folder.journal.find(key) ?? {};
  if (access === undefined || saved === undefined || !(await folder.has(saved))) return undefined;
  const { file, bytes } = saved;
  return { access, state: 'present', file, bytes };
}

async function ofOne<T>(
  ask: () => Promise<VaultAnswer<T>>,
): Promise<VaultAnswer<T> | ({ readonly kind: 'away' } & Refusal)> {
  try {
    return await ask();
  } catch (error) {
    const code = codeOf(error) ?? '';
    if (!OF_ONE.has(code) || !(error instanceof Error)) throw error;
    return { kind: 'away', code, detail: error.message };
  }
}
