import type { LossOrder, LossRefusedData, LostData, StoredEvent } from '@residency/contracts';
import { defined } from '@residency/defined';
import type { CustodyHead } from './custody-head.ts';
import type { Debt } from './debt.ts';
import { judgeLoss } from './judge-loss.ts';
import type { JudgeLossDeps, LossVerdict } from './judge-loss.ts';
import { KeySet } from './key-set.ts';
import type { OffsetSet } from './offset-set.ts';
import { OffsetSets } from './offset-sets.ts';
import type { StoredSamples } from './stored-samples.ts';

export interface LossesDeps extends JudgeLossDeps {
  readonly region: string;
  readonly head: CustodyHead;
  readonly samples: Pick<StoredSamples, 'among' | 'offsetsOf'>;
  /** All orders known by now, of any region, done or not. */
  readonly orders: () => readonly LossOrder[];
  /** True if an order to erase is about the sample, and no hold keeps it. */
  readonly isErasureDue: (event: StoredEvent) => boolean;
  /** Wall clock, milliseconds. */
  readonly now: () => number;
  /** A monotonic clock, milliseconds. */
  readonly elapsed: () => number;
  /** Called for each lost sample once its event is appended. */
  readonly lost: (debt: Debt, data: Omit<LostData, 'previous'>) => void;
}

/** How far the orders to give samples up are carried out. */
export interface LossReport {
  /** Orders without a closing event. */
  readonly open: number;
  /** Samples that wait for a site, as of the last time that all were looked at. */
  readonly waiting: number;
  /** The sites that samples wait for. */
  readonly sites: readonly string[];
  /** Append time of the oldest open order, milliseconds; absent: none is open. */
  readonly oldestAt?: number;
}

/** A step ends after so long, so that it holds up no owed copy. */
const STEP_MS = 1_000;
/** Samples that wait are looked at again this often. */
const RETRY_MS = 10_000;
/** Beside the names of sites. */
const ANYWHERE = '';

/** One look at all samples, which takes as many steps as it needs. */
interface Pass {
  /** The records that were not looked at yet, by partition. */
  readonly left: ReadonlyMap<number, OffsetSet>;
  /** By position: the sites that the sample waits for. */
  readonly waiting: Map<string, readonly string[]>;
  /** Acts of orders that do not have their event about each sample yet. */
  readonly unfinished: Set<string>;
  /** Two orders are about one sample: the second one's event comes in the next step. */
  again: boolean;
}

/** What one look at the sites found, and the order that asked first. */
interface Judged {
  readonly debt: Debt;
  readonly order: LossOrder;
  readonly verdict: LossVerdict;
}

/**
 * Carries out the orders to give samples up (docs/decisions/0054). For each stored sample that an
 * order names there is one event: it is lost, or why it is not. A sample whose sites do not all
 * answer waits, and holds up no other. Then one event closes the order. A successor goes on with what
 * has no event.
 */
export class Losses {
  readonly #deps: LossesDeps;
  /** The open orders, by the submissions that they name. */
  #byName = new Map<string, LossOrder[]>();
  #open: readonly LossOrder[] = [];
  #names = new KeySet();
  /** Records of samples that every open order has its event about, by partition. */
  #done = new OffsetSets();
  /** Submissions of which a stored sample was met. */
  #met = new Set<string>();
  #pass: Pass | undefined;
  /** As of the last whole pass. */
  #waiting: ReadonlyMap<string, readonly string[]> = new Map();
  #retryAt = 0;

  constructor(deps: LossesDeps) {
    this.#deps = deps;
  }

  get report(): LossReport {
    const sites = [...this.#waiting.values()].flat();
    return {
      open: this.#open.length,
      waiting: this.#waiting.size,
      sites: [...new Set(sites)].toSorted(),
      ...defined({ oldestAt: this.#open[0]?.at }),
    };
  }

  /**
   * Goes on for a while, once the audit log was read to its end. `serving`: the sites in service, the
   * arbiter first. `busy`: there is more to do at once. Ends early once `signal` is aborted. Throws
   * the logs' errors, and a site's if it is not `retry`.
   */
  async step(serving: readonly string[], signal: AbortSignal): Promise<{ readonly busy: boolean }> {
    this.#follow();
    const { elapsed, samples } = this.#deps;
    if (this.#open.length === 0) return { busy: false };
    if (this.#pass === undefined && elapsed() < this.#retryAt) return { busy: false };
    const until = elapsed() + STEP_MS;
    const pass = (this.#pass ??= await this.#begin());
    for await (const debts of samples.among(pass.left, signal)) {
      await this.#judge(debts, serving, pass);
      for (const { partition, offset } of debts) pass.left.get(partition)?.delete(offset);
      if (signal.aborted || elapsed() >= until) return { busy: true };
    }
    if (signal.aborted) return { busy: true };
    this.#pass = undefined;
    this.#waiting = pass.waiting;
    for (const order of this.#open) if (!pass.unfinished.has(order.act)) await this.#close(order);
    this.#retryAt = pass.again ? 0 : elapsed() + RETRY_MS;
    this.#follow();
    return { busy: pass.again };
  }

  async #begin(): Promise<Pass> {
    const left = await this.#deps.samples.offsetsOf(this.#names);
    for (const [partition, offsets] of left)
      for (const offset of offsets.offsets())
        if (this.#done.has(ANYWHERE, String(partition), offset)) offsets.delete(offset);
    return { left, waiting: new Map(), unfinished: new Set(), again: false };
  }

  /** The open orders as they are now. If others are open than before, everything is looked at anew. */
  #follow(): void {
    const { orders, region, head } = this.#deps;
    const open = orders().filter((one) => one.region === region && !head.isClosed(one.act));
    if (open.length === this.#open.length && open.every(({ act }, n) => act === this.#open[n]?.act))
      return;
    this.#open = open;
    this.#byName = new Map();
    this.#names = new KeySet();
    this.#done = new OffsetSets();
    this.#met = new Set();
    this.#pass = undefined;
    if (open.length === 0) this.#waiting = new Map();
    this.#retryAt = 0;
    for (const order of open)
      for (const submission of new Set(order.submissions)) {
        this.#byName.set(submission, [...(this.#byName.get(submission) ?? []), order]);
        this.#names.add(submission);
      }
  }

  async #judge(debts: readonly Debt[], serving: readonly string[], pass: Pass): Promise<void> {
    const judged = await Promise.all(debts.map((debt) => this.#judgeOne(debt, serving)));
    const events = {
      lost: new Map<Debt, Omit<LostData, 'previous'>>(),
      refused: new Array<Refused>(),
    };
    for (const { debt, order, verdict } of judged.filter((one) => one !== undefined)) {
      if ('waitsFor' in verdict) {
        pass.waiting.set(debt.holding.position, verdict.waitsFor);
        for (const { act } of this.#ordersOf(debt)) pass.unfinished.add(act);
        continue;
      }
      for (const { act } of this.#ordersOf(debt)) {
        if (act === order.act) continue;
        pass.unfinished.add(act);
        pass.again = true;
      }
      const about = aboutOf(debt, order.act);
      if ('lost' in verdict) events.lost.set(debt, { ...about, sites: verdict.lost });
      else
        events.refused.push({
          ...about,
          code: verdict.refused,
          ...defined({ site: verdict.site }),
        });
    }
    const { head, now, lost } = this.#deps;
    await head.append({ lost: [...events.lost.values()], lossRefused: events.refused }, now());
    for (const [debt, data] of events.lost) lost(debt, data);
  }

  /** `undefined`: every open order has its event about the sample. */
  async #judgeOne(debt: Debt, serving: readonly string[]): Promise<Judged | undefined> {
    const { partition, offset, holding } = debt;
    this.#met.add(holding.submission);
    const [order] = this.#ordersOf(debt);
    if (order === undefined) {
      this.#done.add(ANYWHERE, String(partition), offset);
      return undefined;
    }
    const refused = this.#refusedBefore(debt);
    const verdict =
      refused === undefined ? await judgeLoss(debt, serving, this.#deps) : ({ refused } as const);
    return { debt, order, verdict };
  }

  /** The open orders that have no event about the sample, the oldest first. */
  #ordersOf({ holding: { submission, position } }: Debt): readonly LossOrder[] {
    const { head } = this.#deps;
    return (this.#byName.get(submission) ?? []).filter(({ act }) => !head.isJudged(act, position));
  }

  /** Why no site need be asked. */
  #refusedBefore({ event, holding, isErased }: Debt): LossRefusedData['code'] | undefined {
    const { head, isErasureDue } = this.#deps;
    if (isErased) return 'ERASED';
    if (head.isLost(holding.position)) return 'LOST_BEFORE';
    return isErasureDue(event) ? 'ERASURE_ORDERED' : undefined;
  }

  async #close({ act: order, submissions }: LossOrder): Promise<void> {
    const { head, now, region } = this.#deps;
    const unknown = [...new Set(submissions)].filter((submission) => !this.#met.has(submission));
    const { lost, refused } = head.lossesOf(order);
    await head.append(
      {
        lossRefused: unknown.map((submission) => ({
          submission,
          region,
          order,
          code: 'NOT_STORED' as const,
        })),
        lossClosed: [{ region, order, lost, refused: refused + unknown.length }],
      },
      now(),
    );
  }
}

type Refused = Omit<LossRefusedData, 'previous'>;

function aboutOf(
  { holding: { position, submission, region } }: Debt,
  order: string,
): Pick<LostData, 'of' | 'order' | 'region' | 'submission'> {
  return { of: position, submission, region, order };
}
