import { remedyOf } from '@residency/coded-error';
import type { PolicyBook } from '@residency/reconciliation';
import type { ExaminedSites } from './examine-sites.ts';
import { runOnce } from './run-once.ts';
import type { RunOnceDeps } from './run-once.ts';

export interface KeepReconcilingDeps extends Omit<RunOnceDeps, 'onLogRead'> {
  /** The current policies and sites. Errors with remedy `retry` are retried. */
  readonly examine: () => Promise<{ readonly seen: ExaminedSites; readonly policies: PolicyBook }>;
  /** Every configured site. */
  readonly sites: readonly string[];
  /** From the start of one pass to the start of the next, milliseconds. */
  readonly pauseMs: number;
  readonly signal: AbortSignal;
  /**
   * Called with each error of a site or of the log before a retry, and with `undefined` once it
   * works again.
   */
  readonly waits: (what: string, error: unknown) => void;
  /** Called when the sites were examined for the first time. */
  readonly started: () => void;
}

const FIRST_MS = 1_000;
const MOST_MS = 60_000;
/** How often the sites are examined at least: a policy may add sites at any time. */
const EXAMINE_EVERY_MS = 60_000;
const LOG = 'log';

/**
 * Runs pass after pass until `signal` is aborted, then saves the state. Rejects with an error that
 * needs a person.
 */
export async function keepReconciling(deps: KeepReconcilingDeps): Promise<void> {
  const { signal, clock, keeper } = deps;
  let backOffMs = FIRST_MS;
  try {
    while (!signal.aborted) {
      const { troubled, againInMs } = await once(deps);
      backOffMs = troubled ? Math.min(MOST_MS, backOffMs * 2) : FIRST_MS;
      const waitMs = Math.min(EXAMINE_EVERY_MS, againInMs ?? backOffMs);
      if (waitMs > 0) await clock.sleep(waitMs, signal).catch(() => undefined);
    }
  } finally {
    await keeper.now();
  }
}

interface Once {
  /** A site or the log could not be reached. */
  readonly troubled: boolean;
  /** Absent: after the back-off. */
  readonly againInMs?: number;
}

async function once(deps: KeepReconcilingDeps): Promise<Once> {
  const { signal, clock, state, metrics, waits } = deps;
  try {
    const { seen, policies } = await deps.examine();
    for (const site of deps.sites) waits(site, seen.unreachable.get(site));
    metrics.outOfService(seen.out);
    deps.started();
    const sites = seen.readers
      .map(({ site }) => site)
      .filter((site) => !seen.unreachable.has(site) && !seen.out.has(site));
    const due = state.due(sites, clock.now(), deps.pauseMs);
    const onLogRead = (): void => {
      waits(LOG, undefined);
    };
    // `examine` read the policies, and no more of the log is needed now.
    if (due.sites.length === 0) onLogRead();
    const ended =
      due.sites.length === 0
        ? undefined
        : await runOnce({ ...deps, onLogRead }, seen, policies, due.sites);
    const troubled = seen.unreachable.size + (ended?.unreachable.size ?? 0) > 0;
    if (ended?.cut === true) return { troubled, againInMs: 0 };
    if (troubled) return { troubled };
    const { nextAt } = state.due(sites, clock.now(), deps.pauseMs);
    return { troubled, againInMs: Math.max(0, nextAt - clock.now()) };
  } catch (error) {
    if (signal.aborted) return { troubled: false };
    if (remedyOf(error) !== 'retry') throw error;
    metrics.failed();
    waits(LOG, error);
    return { troubled: true };
  }
}
