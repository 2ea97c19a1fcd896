import { formatPosition } from '@residency/contracts';
import type { Limits, LogRecord } from '@residency/contracts';
import { ByteBudget } from './byte-budget.ts';
import { decode } from './decode.ts';
import type { Decoded } from './decode.ts';
import type { Finding } from './finding.ts';
import { judge } from './judge.ts';
import type { Placeable } from './judge.ts';
import { place } from './place.ts';
import type { PlaceDeps } from './place.ts';
import type { ObjectStore } from './ports/object-store.ts';
import type { Batch, BatchResult, Blocked, RouteBatch } from './ports/submission-log.ts';
import { RoutingError } from './routing-error.ts';
import { settle } from './settle.ts';
import { timed } from './stages.ts';
import { behind, blockedBy, policyMissing, readViews } from './views.ts';
import type { ViewDeps, Views } from './views.ts';

export interface RouterDeps extends PlaceDeps, ViewDeps {
  readonly limits: Limits;
}

/** The use case. One router serves all partitions of a process, so that its byte budget holds for them together. */
export function createRouter(deps: RouterDeps): RouteBatch {
  const budget = new ByteBudget(deps.limits.inFlightBytes);
  const { onStage } = deps;
  // A record that waits for the views comes again and again, the same object.
  const known = new WeakMap<LogRecord, Decoded>();
  const decodeOnce = (record: LogRecord): Decoded => {
    const decoded = known.get(record) ?? decode(record, deps.limits);
    known.set(record, decoded);
    return decoded;
  };
  return async (batch) => {
    const decodedAll = onStage?.('decode');
    const decoded = batch.records.map(decodeOnce);
    decodedAll?.();
    const views = await timed(onStage, 'views', () => readViews(decoded, deps)).catch(
      (error: unknown) => blockedBy(error, first(batch)),
    );
    if ('error' in views) return { settlements: [], blocked: views };
    const decidedAll = onStage?.('decide');
    const judged = decoded.map((one) => gateAndDecide(one, views));
    decidedAll?.();
    const placed = await sealAndStore(batch, judged, budget, deps);
    const durable = await timed(onStage, 'flush', () => flush(placed));
    return prefix(batch, durable);
  };
}

/** A record on its way: placeable, found, or blocked. */
interface Step<State> {
  readonly decoded: Decoded;
  readonly state: State | { readonly finding: Finding } | { readonly blocked: Blocked };
}

function gateAndDecide(decoded: Decoded, views: Views): Step<Placeable> {
  const {
    record: { at, offset },
    read,
  } = decoded;
  if (!views.covers(at)) return { decoded, state: { blocked: behind(offset) } };
  if ('finding' in read) return { decoded, state: read };
  const policy = views.policyAt(at);
  if (policy === undefined)
    return { decoded, state: { blocked: { offset, error: policyMissing() } } };
  const judgement = judge(read.submission, at, views.history(read.submission.consentId), policy);
  return { decoded, state: 'outcome' in judgement ? { finding: judgement } : judgement };
}

interface Stored {
  readonly finding: Finding;
  /** Where something was created or found that the finding relies on. */
  readonly stores: readonly ObjectStore[];
}

// What one sample in work costs besides its bytes, in handles as in memory: bounds how many small ones are in work.
const RECORD_OVERHEAD_BYTES = 256 * 1024;

/** All records at once within the byte budget; records of one identity one after the other, so that the first stays the first on repetition. */
async function sealAndStore(
  batch: Batch,
  steps: readonly Step<Placeable>[],
  budget: ByteBudget,
  deps: RouterDeps,
): Promise<Step<Stored>[]> {
  const tails = new Map<string, Promise<Step<Stored>>>();
  return await Promise.all(
    steps.map(async (step) => {
      const { decoded, state } = step;
      if (!('sample' in state)) return { decoded, state };
      const earlier = tails.get(state.judged.submission);
      const run = storeAfter(earlier, batch, decoded, state, budget, deps);
      tails.set(state.judged.submission, run);
      return await run;
    }),
  );
}

async function storeAfter(
  earlier: Promise<Step<Stored>> | undefined,
  batch: Batch,
  decoded: Decoded,
  placeable: Placeable,
  budget: ByteBudget,
  deps: RouterDeps,
): Promise<Step<Stored>> {
  const { offset } = decoded.record;
  const before = await earlier;
  if (before !== undefined && 'blocked' in before.state)
    return { decoded, state: { blocked: notYet('EARLIER_BLOCKED', offset) } };
  // Sample and sealed message are both held while the sites are written.
  return await budget.with(2 * placeable.sample.length + RECORD_OVERHEAD_BYTES, async () => {
    if (batch.signal.aborted)
      return { decoded, state: { blocked: notYet('ROUTING_ABORTED', offset) } };
    try {
      const position = formatPosition({
        log: batch.log,
        topic: batch.topic,
        partition: batch.partition,
        offset,
      });
      const {
        sites,
        judged: {
          decision: { region },
        },
      } = placeable;
      const stores = await Promise.all(sites.map((site) => deps.sites.store(site, region)));
      return {
        decoded,
        state: { finding: await place(placeable, stores, position, deps), stores },
      };
    } catch (error) {
      return { decoded, state: { blocked: blockedBy(error, offset) } };
    }
  });
}

/** Nothing is settled that a power failure could still take away. */
async function flush(steps: readonly Step<Stored>[]): Promise<Step<never>[]> {
  const touched = new Set(steps.flatMap(({ state }) => ('stores' in state ? state.stores : [])));
  const failed = new Map<ObjectStore, unknown>();
  await Promise.all(
    [...touched].map(async (store) => {
      try {
        await store.flush();
      } catch (error) {
        failed.set(store, error);
      }
    }),
  );
  return steps.map(({ decoded, state }) => {
    if (!('stores' in state)) return { decoded, state };
    const broken = state.stores.find((store) => failed.has(store));
    return {
      decoded,
      state:
        broken === undefined
          ? state
          : { blocked: blockedBy(failed.get(broken), decoded.record.offset) },
    };
  });
}

/** Everything before the first blocked record settles; the rest comes again. */
function prefix(batch: Batch, steps: readonly Step<never>[]): BatchResult {
  const findings: { decoded: Decoded; finding: Finding }[] = [];
  for (const { decoded, state } of steps) {
    if ('blocked' in state) {
      const { traceparent } = decoded;
      return {
        settlements: settle(batch, findings),
        blocked: { ...state.blocked, ...(traceparent === undefined ? {} : { traceparent }) },
      };
    }
    findings.push({ decoded, finding: state.finding });
  }
  return { settlements: settle(batch, findings) };
}

function notYet(code: 'EARLIER_BLOCKED' | 'ROUTING_ABORTED', offset: bigint): Blocked {
  const message =
    code === 'ROUTING_ABORTED'
      ? 'The partition was taken away or the process is stopping; the record comes again.'
      : 'An earlier record of the same submission is blocked; this one waits behind it.';
  return { offset, error: new RoutingError({ code, message, remedy: 'retry' }) };
}

function first(batch: Batch): bigint {
  return batch.records[0]?.offset ?? 0n;
}
