import { remedyOf } from '@residency/coded-error';
import type { PolicyBook } from '@residency/reconciliation';
import type { SeenSites } from './look-at-sites.ts';
import { runOnce } from './run-once.ts';
import type { RunTerms } from './run-once.ts';

export interface ReconcilingTerms extends Omit<RunTerms, 'logRead'> {
  /** Policies and sites as they are now. Errors with remedy `retry` are tried again. */
  readonly look: () => Promise<{ readonly seen: SeenSites; readonly policies: PolicyBook }>;
  /** Every configured site. */
  readonly sites: readonly string[];
  /** From the begin of one pass to that of the next, milliseconds. */
  readonly pauseMs: number;
  readonly signal: AbortSignal;
  /** Told of each error of a thing that is tried again, and `undefined` once that goes on. */
  readonly waits: (what: string, error: unknown) => void;
  /** The first look succeeded. */
  readonly started: () => void;
}

const FIRST_MS = 1_000;
const MOST_MS = 60_000;
/** Sites may be added to a policy at any time. */
const LOOK_EVERY_MS = 60_000;
const LOG = 'log';

/** Pass after pass until `signal` is aborted; then what was done is kept. Rejects with what needs a person. */
export async function keepReconciling(terms: ReconcilingTerms): Promise<void> {
  const { signal, clock, keeper } = terms;
  let backOffMs = FIRST_MS;
  try {
    while (!signal.aborted) {
      const { troubled, againInMs } = await once(terms);
      backOffMs = troubled ? Math.min(MOST_MS, backOffMs * 2) : FIRST_MS;
      const waitMs = Math.min(LOOK_EVERY_MS, againInMs ?? backOffMs);
      if (waitMs > 0) await clock.sleep(waitMs, signal).catch(() => undefined);
    }
  } finally {
    await keeper.now();
  }
}

interface Once {
  /** Something could not be reached. */
  readonly troubled: boolean;
  /** Absent: after a while. */
  readonly againInMs?: number;
}

async function once(terms: ReconcilingTerms): Promise<Once> {
  const { signal, clock, state, metrics, waits } = terms;
  try {
    const { seen, policies } = await terms.look();
    for (const site of terms.sites) waits(site, seen.away.get(site));
    terms.started();
    const sites = seen.readers.map(({ site }) => site).filter((site) => !seen.away.has(site));
    const due = state.due(sites, clock.now(), terms.pauseMs);
    const logRead = (): void => {
      waits(LOG, undefined);
    };
    // The look read the policies, and nothing else of the log is to be read now.
    if (due.sites.length === 0) logRead();
    const ended =
      due.sites.length === 0
        ? undefined
        : await runOnce({ ...terms, logRead }, seen, policies, due.sites);
    const troubled = seen.away.size + (ended?.away.size ?? 0) > 0;
    if (ended?.cut === true) return { troubled, againInMs: 0 };
    if (troubled) return { troubled };
    const { nextAt } = state.due(sites, clock.now(), terms.pauseMs);
    return { troubled, againInMs: Math.max(0, nextAt - clock.now()) };
  } catch (error) {
    if (signal.aborted) return { troubled: false };
    if (remedyOf(error) !== 'retry') throw error;
    metrics.failed();
    waits(LOG, error);
    return { troubled: true };
  }
}
