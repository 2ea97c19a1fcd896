import { createHash } from 'node:crypto';
import { objectKey } from '@residency/contracts';
import { decide } from '@residency/residency';
import type { KnownDecision, PolicyVersion } from '@residency/residency';

export interface Generated {
  readonly log: string;
  readonly policy: PolicyVersion;
  /**
   * T of the first record, milliseconds. Each record is appended one millisecond after the previous
   * one.
   */
  readonly since: number;
  readonly consents: number;
}

const COUNTRIES = ['CH', 'DE', 'US', 'JP', 'BR', 'RU', 'ZA', 'CA'];
const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

/** Of the consents that were given; what asks under another was refused. */
export const consentOf = (number: number): string => `consent-${String(number).padStart(12, '0')}`;
export const TERMS = '2026-01';

/**
 * The event that a router would have written about the `offset`-th record, as text: of ten records
 * six stored, one a duplicate, two refused and one quarantined. Built from templates, with members
 * in RFC 8785 order, because generating a million events must not take longer than reading them.
 */
export class EventGenerator {
  readonly #generated: Generated;
  readonly #decisions: readonly string[];
  readonly #sites: readonly (readonly string[])[];

  constructor(generated: Generated) {
    this.#generated = generated;
    const decisions = COUNTRIES.map((country) => known(generated.policy, country, generated.since));
    this.#decisions = decisions.map(
      ({ region, rule, policy }) =>
        `{"policy":{"digest":"${policy.digest}","id":"${policy.id}","version":${policy.version}},"region":"${region}","rule":"${rule.id}"}`,
    );
    this.#sites = decisions.map(({ sites }) => sites);
  }

  /** The event's bytes. */
  event(offset: number): Buffer {
    const { log, since } = this.#generated;
    const outcome = offset % 10;
    // A duplicate names the stored record before it.
    const of = outcome === 6 ? offset - 1 : offset;
    const submission = sha256(`submission ${of}`);
    const type =
      outcome < 6
        ? 'stored'
        : outcome === 6
          ? 'duplicate'
          : outcome < 9
            ? 'refused'
            : 'quarantined';
    return Buffer.from(
      `{"causationid":"${submission}","data":${this.#data(type, of, offset, submission)},"datacontenttype":"application/json","id":"${log}/threat.samples/0/${offset}","sequence":"${String(offset).padStart(20, '0')}","source":"/residency/${log}/threat.samples/0","specversion":"1.0","time":"${new Date(since + offset).toISOString()}","type":"residency.sample.${type}.v1"}`,
    );
  }

  #data(type: string, of: number, offset: number, submission: string): string {
    const previous = offset === 0 ? 'null' : `"${offset - 1}"`;
    const bytes = 100 + ((of * 7_919) % 100_000);
    const common = `"sampleBytes":${bytes}`;
    if (type === 'refused')
      return `{"consentId":"never-given-${offset % 1_000}","previous":${previous},"reason":"CONSENT_UNKNOWN",${common},"submission":"${submission}","verdict":"suspicious"}`;
    const consent = consentOf((of * 31) % this.#generated.consents);
    if (type === 'quarantined')
      return `{"consentId":"${consent}","previous":${previous},"reason":"COUNTRY_UNKNOWN",${common},"submission":"${submission}","termsVersion":"${TERMS}","verdict":"suspicious"}`;
    const country = of % COUNTRIES.length;
    const judged = `"consentId":"${consent}","country":"${COUNTRIES[country]}","decision":${this.#decisions[country]}`;
    const sample = `${common},"sampleSha256":"${sha256(`sample ${of}`)}","submission":"${submission}","termsVersion":"${TERMS}","verdict":"malicious"`;
    if (type === 'duplicate')
      return `{${judged},"of":"${this.#generated.log}/threat.samples/0/${of}","previous":${previous},${sample}}`;
    const sealed = submission.split('').toReversed().join('');
    const placements = (this.#sites[country] ?? []).map(
      (site) =>
        `{"key":"${objectKey(submission)}","sealedBytes":${bytes + 900},"sealedSha256":"${sealed}","site":"${site}","wrappingKey":"some-key"}`,
    );
    return `{${judged},"placements":[${placements.join(',')}],"previous":${previous},${sample}}`;
  }
}

function known(policy: PolicyVersion, country: string, at: number): KnownDecision {
  const decision = decide(policy, country, at);
  if (!decision.known) throw new Error(`Expected the policy to place ${country}.`);
  return decision;
}
