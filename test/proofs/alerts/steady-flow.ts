import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { KafkaLog } from '@residency/adapter-kafka';
import { codeOf } from '@residency/coded-error';
import { SUBMITTED, submissionEntry } from '@residency/contracts';
import type { LogEntry } from '@residency/contracts';
import { GIVEN } from '../traffic.ts';

const COUNTRIES = ['CH', 'RU', 'JP', 'BR'];

export function sampleFrom(country: string): LogEntry {
  const id = randomUUID();
  return submissionEntry({
    specversion: '1.0',
    id,
    source: 'urn:test:steady',
    type: SUBMITTED,
    datacontenttype: 'application/octet-stream',
    data: Buffer.from(`sample ${id}`),
    extensions: { usercountry: country, consentid: GIVEN, verdict: 'suspicious' },
  });
}

/** Publishes good submissions for both regions during all faults. */
export class SteadyFlow {
  published = 0;
  readonly #stop = new AbortController();
  readonly #publishing: Promise<void>;

  constructor(log: Pick<KafkaLog, 'append'>, everyMs: number) {
    this.#publishing = this.#publish(log, everyMs);
  }

  async close(): Promise<void> {
    this.#stop.abort();
    await this.#publishing;
  }

  async #publish(log: Pick<KafkaLog, 'append'>, everyMs: number): Promise<void> {
    for (let next = 0; !this.#stop.signal.aborted; next += 1) {
      try {
        await log.append([sampleFrom(COUNTRIES[next % COUNTRIES.length] ?? 'CH')]);
        this.published += 1;
      } catch (error) {
        if (codeOf(error) === undefined) throw error;
      }
      await sleep(everyMs, undefined, { signal: this.#stop.signal }).catch(() => undefined);
    }
  }
}
