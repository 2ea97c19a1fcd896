import { defined } from '@residency/defined';
import { inForceIn, isLost, knownOf } from '@residency/observation';
import type {
  ClockFacts,
  IntakeFacts,
  Observed,
  PolicyFacts,
  Snapshot,
  ViewFacts,
} from '@residency/observation';
import { formatInstant, validPolicies } from '@residency/residency';
import { controlJson } from '../system/control.ts';
import { unsettledOf } from './status-report.ts';
import type { StatusReport } from './status-report.ts';
import { resultText } from './result-text.ts';

/** The same as the screen, one object a report. A fact that is not known has a `failure`. */
export function statusJson(
  name: string,
  { at, snapshot, flow, services, wrong }: StatusReport,
): object {
  return {
    at: formatInstant(at),
    of: name,
    wrong: wrong.map(resultText),
    ...(snapshot === undefined
      ? {}
      : {
          ...json('control', snapshot.control, controlJson),
          ...json('intake', snapshot.intake, (facts) => intakeJson(facts, snapshot)),
          ...defined({ flow }),
          ...json('consents', snapshot.consents, viewJson),
          ...json('policy', snapshot.policy, policyJson),
          ...json('clock', snapshot.clock, clockJson),
        }),
    ...services,
  };
}

function json<T>(name: string, fact: Observed<T> | undefined, of: (known: T) => object): object {
  if (fact === undefined) return {};
  return { [name]: 'unknown' in fact ? { failure: fact.unknown.code } : of(fact.known) };
}

function viewJson({ at, watermark, halted }: ViewFacts): object {
  return { behindMs: Math.max(0, at - watermark), halted };
}

function policyJson(facts: PolicyFacts): object {
  const { at, watermark, versions } = facts;
  const inForce = inForceIn(facts);
  return {
    valid: validPolicies(versions).length,
    ...(inForce === undefined ? {} : { inForce: `${inForce.id}/${inForce.version}` }),
    ...(watermark === undefined ? {} : { behindMs: Math.max(0, at - watermark) }),
  };
}

function clockJson({ state, lastAt, error }: ClockFacts): object {
  return {
    state,
    ...(lastAt === 0 ? {} : { lastAppend: formatInstant(lastAt) }),
    ...defined({ code: error?.code }),
  };
}

function intakeJson(facts: IntakeFacts, { topics, appendTimes }: Snapshot): object {
  const { total, worst, oldestAt, oldest } = unsettledOf(facts);
  const apart = (knownOf(appendTimes) ?? []).filter(({ aheadMs }) => aheadMs !== 0);
  const replaced = (knownOf(topics) ?? []).flatMap(({ topic, state, found = '' }) =>
    state === 'replaced' ? [{ topic, found }] : [],
  );
  const undecided = facts.transactions.map(({ topic, partition, offset, since }) => ({
    topic,
    partition,
    offset: String(offset),
    ...(since === undefined ? {} : { since: formatInstant(since) }),
  }));
  return {
    ...(apart.length === 0 ? {} : { clocks: apart }),
    unsettled: Number(total),
    lost: facts.partitions.filter(isLost).map(({ partition }) => partition),
    ...(worst === undefined
      ? {}
      : { worst: { partition: worst.partition, unsettled: Number(worst.unsettled) } }),
    ...(replaced.length === 0 ? {} : { replaced }),
    ...(undecided.length === 0 ? {} : { undecided }),
    ...(oldestAt === undefined ? {} : { oldest: formatInstant(oldestAt) }),
    ...defined({ first: oldest }),
  };
}
