import type { ErasureEvidence, TopicEvent } from '../../proofs/erasure/erasure-evidence.ts';
import { samplesOf, sitesOf } from '../../proofs/erasure/judge-erasures.ts';
import type { Sample } from '../../proofs/erasure/judge-erasures.ts';
import type { MeasuredConsent } from './erasure-stand.ts';

/** Milliseconds from the append time of a consent's withdrawal, by the logs' append times. */
export interface ConsentTimes {
  /** Until the order. */
  readonly order: number;
  /** Until the event after which each site of the region is named, for each sample stored long before. */
  readonly stored: readonly number[];
  /** The same for samples that were on their way: stored after the withdrawal, or just before it. */
  readonly onTheirWay: readonly number[];
  /** Samples that were refused: they came after the withdrawal. */
  readonly refused: number;
}

/** From topics as kcat read them. Throws if something that the consent must have is not on the logs. */
export function consentTimes(
  evidence: ErasureEvidence,
): (consent: MeasuredConsent) => ConsentTimes {
  const withdrawals = new Map(
    evidence.consents
      .filter(({ type }) => type === 'consent.withdrawn.v1')
      .map(({ at, data }) => [data['consentId'], at]),
  );
  const samples = new Map(samplesOf(evidence).map((sample) => [sample.event.id, sample]));
  const outcomes = new Map(evidence.audit.map(({ id, outcome }) => [id, outcome]));
  return ({ id, stored, before, after }) => {
    const withdrawn = withdrawals.get(id);
    if (withdrawn === undefined) throw new Error('Expected a withdrawal on the log, found none.');
    const until = (position: string): number => goneAt(samples.get(position)) - withdrawn;
    const late = after.filter((position) => outcomes.get(position) === 'stored');
    return {
      order: orderedAt(evidence.control, id) - withdrawn,
      stored: stored.map((position) => until(position)),
      onTheirWay: [...before, ...late].map((position) => until(position)),
      refused: after.filter((position) => outcomes.get(position) === 'refused').length,
    };
  };
}

function orderedAt(control: readonly TopicEvent[], consentId: string): number {
  const order = control.find(
    ({ type, data }) =>
      type === 'residency.erasure.ordered.v1' &&
      ((data['consents'] ?? []) as readonly { readonly consentId: string }[]).some(
        (one) => one.consentId === consentId,
      ),
  );
  if (order === undefined) throw new Error('Expected an order on the log, found none.');
  return order.at;
}

/** The append time of the event with which all sites of the region are named. */
function goneAt(sample: Sample | undefined): number {
  if (sample === undefined) throw new Error('Expected the sample to be stored, found it is not.');
  const { sites, erased, event } = sample;
  const named = sites.map(
    (site) => erased.find(({ data }) => sitesOf(data).some((one) => one.site === site))?.at,
  );
  const all = named.filter((at) => at !== undefined);
  if (all.length < sites.length)
    throw new Error(`Expected an event that names each site of ${event.id}, found fewer.`);
  return Math.max(...all);
}
