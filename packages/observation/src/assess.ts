import { failed } from './check-result.ts';
import type { CheckResult } from './check-result.ts';
import { judgeAppendTimes } from './judging/judge-append-times.ts';
import { judgeClock } from './judging/judge-clock.ts';
import { judgeControl } from './judging/judge-control.ts';
import { judgeCopies } from './judging/judge-copies.ts';
import { judgeErasures } from './judging/judge-erasures.ts';
import { judgeLedgers } from './judging/judge-ledgers.ts';
import { judgeProgress } from './judging/judge-progress.ts';
import { judgeService } from './judging/judge-service.ts';
import { judgeTopics } from './judging/judge-topics.ts';
import { judgeTransactions } from './judging/judge-transactions.ts';
import { judgeConsents, judgePolicy } from './judging/judge-views.ts';
import { LIMITS } from './limits.ts';
import type { Limits } from './limits.ts';
import { knownOf } from './snapshot.ts';
import type { Observed, Snapshot } from './snapshot.ts';

/**
 * What is right and what is wrong about a system, in the order a person should read it. Total: each
 * fact of the snapshot has at least one result, and what is not known is never `ok`.
 */
export function assess(snapshot: Snapshot, limits: Limits = LIMITS): readonly CheckResult[] {
  const {
    control,
    topics,
    intake,
    appendTimes,
    clock,
    consents,
    policy,
    ledgers,
    copies,
    erasures,
    services,
  } = snapshot;
  const mode = knownOf(control)?.mode;
  return [
    ...results('control', control, judgeControl),
    ...results('logs', topics, judgeTopics),
    ...results('progress', intake, (facts) => judgeProgress(facts, mode, limits)),
    ...results('transactions', intake, (facts) => judgeTransactions(facts, limits)),
    ...results('append times', appendTimes, (leads) => judgeAppendTimes(leads, limits)),
    ...results('clock', clock, judgeClock),
    ...results('consent view', consents, (view) => judgeConsents(view, limits)),
    ...results('policy', policy, (log) => judgePolicy(log, limits)),
    ...results('ledger', ledgers, (all) => judgeLedgers(all, limits)),
    ...(copies === undefined ? [] : judgeCopies(copies, limits)),
    ...(erasures === undefined ? [] : judgeErasures(erasures, limits)),
    ...(services ?? []).map(judgeService),
  ];
}

function results<T>(
  check: string,
  fact: Observed<T> | undefined,
  judge: (known: T) => readonly CheckResult[],
): readonly CheckResult[] {
  if (fact === undefined) return [];
  return 'unknown' in fact ? [failed(check, fact.unknown)] : judge(fact.known);
}
