import { codeOf, remedyOf } from '@residency/coded-error';
import { formatPosition } from '@residency/contracts';
import type { ControlState, Limits, LogRecord } from '@residency/contracts';
import { defined } from '@residency/defined';
import { ByteBudget } from './byte-budget.ts';
import { bytesIn } from './bytes-in.ts';
import { mayOwe } from './claim.ts';
import type { Attempt } from './claim.ts';
import { decodeContained, judgeContained } from './contain.ts';
import { decode } from './decode.ts';
import type { Decoded } from './decode.ts';
import type { RecordResult } from './record-result.ts';
import { judge } from './judge.ts';
import type { Placeable } from './judge.ts';
import { openStores } from './open-stores.ts';
import { oweAlso, placedIn } from './owe-also.ts';
import { place } from './place.ts';
import type { PlaceDeps } from './place.ts';
import type { ControlView } from './ports/control-view.ts';
import type { ObjectStore } from './ports/object-store.ts';
import type { Batch, BatchResult, Blocked, RouteBatch } from './ports/submission-log.ts';
import { RoutingError } from './routing-error.ts';
import { assembleResult } from './assemble-result.ts';
import type { RoutedRecord } from './assemble-result.ts';
import { settingAside } from './set-aside.ts';
import { serving } from './serving.ts';
import { timed } from './stages.ts';
import {
  behind,
  blockedAt,
  blockedBy,
  paused,
  policyMissing,
  readViews,
  viewUnreadable,
} from './views.ts';
import type { ViewDeps, Views } from './views.ts';

export interface RouterDeps extends PlaceDeps, ViewDeps {
  readonly control: ControlView;
  readonly limits: Limits;
}

/**
 * Creates the use case. One router serves all partitions of a process, so that they share its byte
 * budget. It routes nothing while routing is paused, and quarantines records that a person set
 * aside; batches in progress settle.
 */
export function createRouter(deps: RouterDeps): RouteBatch {
  const budget = new ByteBudget(deps.limits.inFlightBytes);
  const { onStage, control } = deps;
  // A record that waits for the views is handed over again and again as the same object.
  const known = new WeakMap<LogRecord, Decoded>();
  const decodeOnce = (record: LogRecord): Decoded => {
    const decoded = known.get(record) ?? decodeContained(record, () => decode(record, deps.limits));
    known.set(record, decoded);
    return decoded;
  };
  return settingAside(async (batch) => {
    const state = await control.read().catch((error: unknown) => blockedBy(error, first(batch)));
    if ('error' in state) return { settlements: [], blocked: state };
    if (state.mode === 'paused') return { settlements: [], blocked: paused(first(batch)) };
    const decodedAll = onStage?.('decode');
    const decoded = batch.records.map(decodeOnce);
    decodedAll?.();
    const views = await timed(onStage, 'views', () => readViews(decoded, deps)).catch(
      (error: unknown) =>
        codeOf(error) === undefined
          ? viewUnreadable(error, first(batch))
          : blockedBy(error, first(batch)),
    );
    if ('error' in views) return { settlements: [], blocked: views };
    const decidedAll = onStage?.('decide');
    const judged = decoded.map((one) => decideOrWait(one, views, state));
    decidedAll?.();
    const placed = await sealAndStore(batch, judged, budget, deps);
    const durable = await timed(onStage, 'flush', () => flush(placed));
    return prefix(batch, durable);
  }, control);
}

/** A record between two steps: placeable, already decided, or blocked. */
interface Step<State> {
  readonly decoded: Decoded;
  readonly state: State | { readonly result: RecordResult } | { readonly blocked: Blocked };
}

/**
 * If views return values that make a decision throw, that is not the record's fault: the record
 * waits, and the process continues.
 */
function decideOrWait(decoded: Decoded, views: Views, control: ControlState): Step<Placeable> {
  try {
    return gateAndDecide(decoded, views, control);
  } catch (error) {
    return { decoded, state: { blocked: viewUnreadable(error, decoded.record.offset) } };
  }
}

function gateAndDecide(decoded: Decoded, views: Views, control: ControlState): Step<Placeable> {
  const {
    record: { at, offset },
    read,
  } = decoded;
  if (!views.covers(at)) return { decoded, state: { blocked: behind(offset) } };
  if ('result' in read) return { decoded, state: read };
  const policy = views.policyAt(at);
  if (policy === undefined)
    return { decoded, state: { blocked: { offset, error: policyMissing() } } };
  const history = views.history(read.submission.consentId);
  const judgement = judgeContained(decoded, read.submission.submission, () =>
    judge(read.submission, at, history, policy),
  );
  return {
    decoded,
    state:
      'outcome' in judgement ? { result: judgement } : serving(judgement, control, offset, views),
  };
}

interface Stored {
  readonly result: RecordResult;
  /** The first site's store, and those of the result's placements. */
  readonly stores: readonly ObjectStore[];
  readonly later: readonly ObjectStore[];
  readonly placeable: Pick<Placeable, 'sites' | 'settleWith'>;
  readonly bytesIn: NonNullable<Blocked['bytesIn']>;
  /** See `Attempt`; with this record, if it is one of them. */
  readonly erased: readonly string[];
}

// The cost of one sample in work besides its bytes, in file handles and in memory. Bounds the
// number of small samples in work.
const RECORD_OVERHEAD_BYTES = 256 * 1024;

/**
 * Routes all records concurrently within the byte budget. Records of one identity run one after the
 * other, so that the first one stays the first on repetition.
 */
async function sealAndStore(
  batch: Batch,
  steps: readonly Step<Placeable>[],
  budget: ByteBudget,
  deps: RouterDeps,
): Promise<Step<Stored>[]> {
  const tails = new Map<string, Promise<Step<Stored>>>();
  const running = steps.map(async (step): Promise<Step<Stored>> => {
    const { decoded, state } = step;
    if (!('sample' in state)) return { decoded, state };
    const earlier = tails.get(state.judged.submission);
    const run = storeAfter(earlier, batch, decoded, state, budget, deps);
    tails.set(state.judged.submission, run);
    return await run;
  });
  // An error that stops the router is thrown only after the other records have ended, because a
  // stopped router must not write to a site.
  await Promise.allSettled(running);
  return await Promise.all(running);
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
  // The sample and the sealed message are both in memory while the sites are written.
  return await budget.with(2 * placeable.sample.length + RECORD_OVERHEAD_BYTES, async () => {
    if (batch.signal.aborted)
      return { decoded, state: { blocked: notYet('ROUTING_ABORTED', offset) } };
    const { log, topic, partition, previous } = batch;
    const position = { log, topic, partition, offset };
    const erased = before !== undefined && 'erased' in before.state ? before.state.erased : [];
    const attempt: Attempt = { position, previous, erased };
    const ofRecord = (): Promise<readonly string[]> => bytesIn(placeable, position, deps.sites);
    try {
      const opened = await openStores(placeable, deps.sites);
      const result = await place(placeable, opened, attempt, deps);
      const [arbiter, ...later] = opened;
      const placed = placedIn(result);
      const stores = opened.filter((store) => store === arbiter || placed.includes(store.site));
      return {
        decoded,
        state: {
          result,
          stores,
          later,
          placeable,
          bytesIn: ofRecord,
          erased: result.outcome === 'refused' ? [...erased, formatPosition(position)] : erased,
        },
      };
    } catch (error) {
      return {
        decoded,
        state: {
          blocked: batch.signal.aborted
            ? notYet('ROUTING_ABORTED', offset)
            : blockedAt(error, offset, ofRecord),
        },
      };
    }
  });
}

/**
 * Flushes the stores before the settlement. An object is therefore durable before its event exists
 * (RECONCILIATION §2). A later site that cannot be flushed is owed its copy, if it may be.
 */
async function flush(steps: readonly Step<Stored>[]): Promise<Step<never>[]> {
  const states = steps.flatMap(({ state }) => ('stores' in state ? [state] : []));
  const needed = new Set(
    states.flatMap((state) => state.stores.filter((store) => !isOwable(state, store))),
  );
  const failed = new Map<ObjectStore, unknown>();
  await Promise.all(
    [...new Set(states.flatMap(({ stores }) => stores))].map(async (store) => {
      try {
        await store.flush({ owable: !needed.has(store) });
      } catch (error) {
        failed.set(store, error);
      }
    }),
  );
  return steps.map(({ decoded, state }) =>
    'stores' in state ? flushed(decoded, state, failed) : { decoded, state },
  );
}

function isOwable(
  { later, placeable: { sites, settleWith } }: Stored,
  store: ObjectStore,
): boolean {
  return later.includes(store) && mayOwe(settleWith, sites);
}

/** The step after its stores were flushed, some of them in vain. */
function flushed(
  decoded: Decoded,
  state: Stored,
  failed: ReadonlyMap<ObjectStore, unknown>,
): Step<never> {
  const broken = state.stores.filter((store) => failed.has(store));
  const [first] = broken;
  if (first === undefined) return { decoded, state };
  const result = broken.every(
    (store) => isOwable(state, store) && remedyOf(failed.get(store)) === 'retry',
  )
    ? oweAlso(
        state.result,
        broken.map(({ site }) => site),
        state.placeable,
      )
    : undefined;
  return {
    decoded,
    state:
      result === undefined
        ? { blocked: blockedAt(failed.get(first), decoded.record.offset, state.bytesIn) }
        : { result },
  };
}

/** The records before the first blocked one settle; the others come again. */
function prefix(batch: Batch, steps: readonly Step<never>[]): BatchResult {
  const routed: RoutedRecord[] = [];
  for (const { decoded, state } of steps) {
    if ('blocked' in state) {
      const { traceparent } = decoded;
      return {
        blocked: { ...state.blocked, ...defined({ traceparent }) },
        ...assembleResult(batch, routed),
      };
    }
    routed.push({ decoded, result: state.result });
  }
  return assembleResult(batch, routed);
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
