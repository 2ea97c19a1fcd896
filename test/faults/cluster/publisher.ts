import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  SUBMITTED,
  consentCloudEvent,
  consentEntry,
  formatPosition,
  submissionEntry,
} from '@residency/contracts';
import type { LogEntry, Position } from '@residency/contracts';
import { SALT, eventually } from '@residency/testkit';
import type { Deployment } from '../../running-deployment/deployment.ts';

const SOURCE = 'urn:test:faults';
/** Generous, for loaded machines. No test asserts a time. */
export interface Sample {
  readonly country: string;
  readonly consent: string;
  /**
   * The expected outcome, such as `stored zurich` or `refused CONSENT_WITHDRAWN`; for a duplicate
   * the outcome alone.
   */
  readonly becomes: string;
  /** Default: a new id. */
  readonly id?: string;
  readonly bytes?: Buffer;
  /** The key that decides the partition; default: the country. */
  readonly key?: string;
}

/** Publishes to a deployment, and keeps the expected outcome of each record. */
export class Publisher {
  /** By position. */
  readonly expected = new Map<string, string>();
  readonly #deployment: Deployment;

  constructor(deployment: Deployment) {
    this.#deployment = deployment;
  }

  /** A consent that was given. */
  async grant(): Promise<string> {
    const consentId = `consent-${randomUUID()}`;
    await this.#consent({
      kind: 'granted',
      consentId,
      purposes: ['threat-sample-sharing'],
      termsVersion: '2026-1',
    });
    return consentId;
  }

  async withdraw(consentId: string): Promise<void> {
    // The interval is half-open and ends at the withdrawal's millisecond, so a sample of the same
    // millisecond would be refused.
    await sleep(2);
    await this.#consent({ kind: 'withdrawn', consentId });
  }

  async publish(samples: readonly Sample[]): Promise<readonly Position[]> {
    const positions = await this.#deployment.log.append(
      samples.map((sample) => submission(sample)),
    );
    for (const [index, position] of positions.entries())
      this.expected.set(formatPosition(position), samples[index]?.becomes ?? '');
    return positions;
  }

  /** Resolves once every record of the intake log is settled. */
  async settled(): Promise<void> {
    await this.#until(async () =>
      [...(await this.#deployment.log.lag()).values()].every((lag) => lag === 0n),
    );
  }

  /** Resolves once these positions are settled. */
  async settledUpTo(positions: readonly Position[]): Promise<void> {
    await this.#until(async () => {
      const committed = await this.#deployment.log.committed();
      return positions.every(({ partition, offset }) => (committed.get(partition) ?? 0n) > offset);
    });
  }

  async #until(reached: () => Promise<boolean>): Promise<void> {
    await eventually(async () => {
      if (await reached()) return true;
      await sleep(50);
      return undefined;
    }).catch((cause: unknown) => {
      throw new Error(
        `Expected the records to be settled, found that they are not.\n${this.#deployment.said()}`,
        { cause },
      );
    });
  }

  async #consent(event: Parameters<typeof consentCloudEvent>[0]): Promise<void> {
    await this.#deployment.log.append([
      consentEntry(consentCloudEvent(event, { id: randomUUID(), source: SOURCE }), SALT),
    ]);
  }
}

/** Samples for every outcome, in both regions and in both of two partitions. */
export function someOfEach(consent: string): readonly Sample[] {
  const again = randomUUID();
  return [
    { country: 'CH', consent, becomes: 'stored zurich' },
    { country: 'RU', consent, becomes: 'stored moscow' },
    { country: 'EU', consent, becomes: 'quarantined COUNTRY_UNKNOWN' },
    { country: 'DE', consent: `never-given-${randomUUID()}`, becomes: 'refused CONSENT_UNKNOWN' },
    { country: 'JP', consent, becomes: 'stored zurich', id: again },
    { country: 'JP', consent, becomes: 'duplicate', id: again },
  ];
}

function submission({
  country,
  consent,
  id = randomUUID(),
  bytes = Buffer.from(`harmless ${id}`),
  key = country,
}: Sample): LogEntry {
  return submissionEntry({
    specversion: '1.0',
    id,
    source: SOURCE,
    type: SUBMITTED,
    datacontenttype: 'application/octet-stream',
    data: bytes,
    extensions: {
      usercountry: country,
      consentid: consent,
      verdict: 'malicious',
      partitionkey: key,
    },
  });
}
