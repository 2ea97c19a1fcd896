import { remedyOf } from '@residency/coded-error';
import { TOPICS, formatPosition } from '@residency/contracts';
import type { LogRecord, Withdrawal } from '@residency/contracts';
import { BackOff } from '@residency/routing';
import type { BackOffLimits } from '@residency/routing';
import { pause } from '@residency/waiting';
import { fold, readPage } from './page.ts';
import type { Page } from './page.ts';
import type { ConsentProjection, ProjectedPosition } from './ports/consent-projection.ts';
import type { ConsentSource } from './ports/consent-source.ts';
import type { ProjectorDiagnostics } from './ports/projector-diagnostics.ts';
import { appendTimeWentBack, logReplaced, logShorter } from './projector-error.ts';

export interface ProjectOptions {
  readonly source: ConsentSource;
  readonly projection: ConsentProjection;
  readonly signal: AbortSignal;
  readonly diagnostics: ProjectorDiagnostics;
  /** Called after every step that moved the projection. */
  readonly onProgress?: (progress: ProjectorProgress) => void;
  /**
   * Called with the withdrawals of each step before the projection moves past them. If it rejects
   * with remedy `retry`, the step is repeated.
   */
  readonly onWithdrawn?: (withdrawals: readonly Withdrawal[]) => Promise<void>;
  /**
   * How far append time may go back, milliseconds. Routers wait as much longer for the watermarks.
   */
  readonly appendTimeMarginMs?: number;
  readonly backOff?: BackOffLimits;
}

export interface ProjectorProgress {
  readonly position: ProjectedPosition;
  /** The number of records in this step. */
  readonly records: number;
  /**
   * The number of records without a consent event since `project` was called. A person should look
   * at the publisher of each.
   */
  readonly skipped: number;
}

interface Run extends ProjectOptions {
  readonly backOff: BackOffLimits;
  readonly waits: BackOff;
  readonly seen: { skipped: number; upTo: bigint; rival: boolean };
}

type Answer = Awaited<ReturnType<ConsentProjection['apply']>>;

const MARGIN_MS = 1_000;
const BACK_OFF: BackOffLimits = { firstMs: 50, mostMs: 5_000 };
/** The most records of one step: one script changes them, and memory holds them. */
const PAGE_RECORDS = 500;

/**
 * Folds the consent log into the projection until `signal` is aborted. Retries transient failures,
 * from the projection's actual position. Throws failures that need a person (`CONSENT_LOG_SHORTER`,
 * `CONSENT_LOG_REPLACED`, `APPEND_TIME_WENT_BACK`, settings, rights, defects).
 */
export async function project(options: ProjectOptions): Promise<void> {
  const { signal, diagnostics, backOff = BACK_OFF } = options;
  const run: Run = {
    ...options,
    backOff,
    waits: new BackOff(backOff, Math.random),
    seen: { skipped: 0, upTo: -1n, rival: false },
  };
  while (!signal.aborted) {
    try {
      await follow(run);
    } catch (error) {
      if (signal.aborted) return;
      if (remedyOf(error) !== 'retry') throw error;
      diagnostics.warn('The consent projection failed and is tried again from where it is.', {
        error,
      });
    }
    await pause(run.waits.next(), signal);
  }
}

/**
 * Follows the log from the projection's position, until the projection turns out to be further
 * back, or the source ends.
 */
async function follow(run: Run): Promise<void> {
  let position = await run.projection.position();
  const topicId = await requireSameLog(position, run.source);
  if (position?.halted === true)
    run.diagnostics.error(
      'The consent view is halted, because append time went back; routing waits until it has passed the watermark again.',
    );
  for await (const records of run.source.batches(position?.next, run.signal)) {
    for (let index = 0; index < records.length && !run.signal.aborted; index += PAGE_RECORDS) {
      const reached = await advance(
        { ...run, topicId },
        position,
        records.slice(index, index + PAGE_RECORDS),
      );
      if (reached === 'further back') return;
      position = reached;
    }
  }
}

/**
 * Applies `records` from the projection's actual position, if that is after `from`. Otherwise the
 * source must be read again from there.
 */
async function advance(
  run: Run & { readonly topicId: string | undefined },
  from: ProjectedPosition | undefined,
  records: readonly LogRecord[],
): Promise<ProjectedPosition | undefined | 'further back'> {
  let position = from;
  for (;;) {
    const page = readPage(records, position, run.appendTimeMarginMs ?? MARGIN_MS, run.topicId);
    if (page === undefined) return position;
    report(run, page);
    await noticeWithdrawn(run, page);
    const answer = await apply(run.projection, position, page);
    if (answer.applied) {
      run.waits.reset();
      run.onProgress?.({
        position: answer.position,
        records: records.length,
        skipped: run.seen.skipped,
      });
      if (page.wentBack !== undefined)
        throw appendTimeWentBack(
          at(run.source, page.wentBack.offset),
          page.wentBack.byMs,
          page.to.watermark,
        );
      return answer.position;
    }
    if (answer.found === undefined || answer.found.next < (position?.next ?? 0n)) {
      run.diagnostics.warn(
        'The consent projection is further back than this projector left it: Redis was emptied, restored or failed over with loss. It is made good from the log; routing waits meanwhile.',
      );
      return 'further back';
    }
    await requireSameLog(answer.found, run.source);
    if (!run.seen.rival)
      run.diagnostics.info(
        'Another consent projector is at work on the same projection; each step is applied by one of them.',
      );
    run.seen.rival = true;
    position = answer.found;
  }
}

async function noticeWithdrawn({ onWithdrawn, source }: Run, { changes }: Page): Promise<void> {
  if (onWithdrawn === undefined) return;
  const withdrawals = changes
    .filter(({ event }) => event.kind === 'withdrawn')
    .map(({ event: { consentId }, at: time, offset }) => ({
      consentId,
      at: time,
      position: at(source, offset),
    }));
  if (withdrawals.length > 0) await onWithdrawn(withdrawals);
}

/** One round trip to read, one to write. A page with only ticks needs only the second. */
async function apply(
  projection: ConsentProjection,
  expected: ProjectedPosition | undefined,
  { to, changes }: Page,
): Promise<Answer> {
  const ids = new Set(changes.map(({ event }) => event.consentId));
  // Without a position there are no histories: those of an earlier projection do not count.
  if (ids.size === 0 || expected === undefined)
    return await projection.apply({ expected, to, histories: fold(changes, new Map()) });
  const { position: found, histories } = await projection.histories([...ids]);
  // Histories of another position would be folded wrongly, even if the position were the expected
  // one again when they are applied.
  if (!same(found, expected)) return { applied: false, found };
  return await projection.apply({ expected, to, histories: fold(changes, histories) });
}

function same(a: ProjectedPosition | undefined, b: ProjectedPosition): boolean {
  return (
    a !== undefined &&
    a.log === b.log &&
    a.topicId === b.topicId &&
    a.generation === b.generation &&
    a.next === b.next &&
    a.watermark === b.watermark &&
    a.halted === b.halted
  );
}

/**
 * Throws if the position is beyond the log's end: it belongs to another log, or the log lost
 * records, and to continue would skip later records. Also throws if the topic's id differs, however
 * long the log has grown. Returns the topic's id.
 */
async function requireSameLog(
  position: ProjectedPosition | undefined,
  source: ConsentSource,
): Promise<string | undefined> {
  const topicId = await source.topicId();
  if (position === undefined) return topicId;
  const end = await source.end();
  if (position.next > end) throw logShorter(at(source, position.next), end);
  if (topicId !== undefined && position.topicId !== undefined && topicId !== position.topicId)
    throw logReplaced(at(source, position.next), position.topicId, topicId);
  return topicId;
}

/** Reports each record once, however often it is read again. */
function report({ source, diagnostics, seen }: Run, { skipped }: Page): void {
  for (const { offset, error } of skipped.filter((one) => one.offset > seen.upTo)) {
    seen.skipped += 1;
    seen.upTo = offset;
    diagnostics.warn(
      'A record of the consent log holds no consent event and was passed over; look at its publisher.',
      { error, position: at(source, offset) },
    );
  }
}

function at({ log }: ConsentSource, offset: bigint): string {
  return formatPosition({ log, topic: TOPICS.consents, partition: 0, offset });
}
