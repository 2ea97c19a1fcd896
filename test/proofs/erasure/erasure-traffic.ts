import { SUBMITTED, submissionEntry } from '@residency/contracts';
import type { LogEntry } from '@residency/contracts';
import { sha256 } from '../on-disk.ts';
import type { SeededRandom } from '../seeded-random.ts';
import { REGION_BY_COUNTRY } from '../traffic.ts';

const COUNTRIES = Object.keys(REGION_BY_COUNTRY);
const SOURCE = 'urn:test:erasure';
const MOST_BYTES = 2_048;

/** What comes again under an identity. */
export const AGAIN = ['same', 'same', 'other bytes', 'other country'] as const;
export type Again = (typeof AGAIN)[number];

/** The first record of an identity. */
export interface First {
  readonly id: string;
  readonly submission: string;
  readonly country: string;
  readonly consent: string;
  readonly sample: Buffer;
}

/** Samples that contain the canary, under consents; grows as it is sent. */
export class ErasureTraffic {
  readonly #random: SeededRandom;
  readonly #canary: string;
  /** The digest of each record's sample. */
  readonly #sent: string[] = [];

  constructor(random: SeededRandom, canary: string) {
    this.#random = random;
    this.#canary = canary;
  }

  first(consent: string): First {
    const id = `s-${this.#random.next()}-${this.#sent.length}`;
    return {
      id,
      submission: submissionOf(SOURCE, id),
      country: this.#random.pick(COUNTRIES),
      consent,
      sample: this.#sample(),
    };
  }

  /** The identity again, under this consent. */
  again(first: First, how: Again, consent: string): LogEntry {
    switch (how) {
      case 'same':
        return this.entry({ ...first, consent });
      case 'other bytes':
        return this.entry({ ...first, consent, sample: this.#sample() });
      case 'other country':
        return this.entry({ ...first, consent, country: this.#random.pick(COUNTRIES) });
      default:
        return how satisfies never;
    }
  }

  entry({ id, country, consent, sample }: Omit<First, 'submission'>): LogEntry {
    const index = this.#sent.push(sha256(sample)) - 1;
    const { record, ...entry } = submissionEntry({
      specversion: '1.0',
      id,
      source: SOURCE,
      type: SUBMITTED,
      datacontenttype: 'application/octet-stream',
      data: sample,
      extensions: {
        usercountry: country,
        consentid: consent,
        verdict: 'suspicious',
        partitionkey: String(index),
      },
    });
    // Who writes to the topic may name a person there; the router passes it on to nobody. An identity
    // stays in one partition: there the log decides what comes first.
    return {
      ...entry,
      record: {
        ...record,
        key: Buffer.from(id),
        headers: [...record.headers, ['ce_subject', Buffer.from(this.#canary)]],
      },
    };
  }

  /** Of a record on the log: which one it is. Throws if it holds other bytes than were sent. */
  indexOf({
    headers,
    value,
  }: {
    readonly headers: ReadonlyMap<string, Buffer>;
    readonly value: Buffer | null;
  }): number {
    const index = Number(headers.get('ce_partitionkey')?.toString('utf8') ?? NaN);
    if (this.#sent[index] !== sha256(value ?? Buffer.alloc(0)))
      throw new RangeError('Expected the log to hold the bytes that were sent.');
    return index;
  }

  #sample(): Buffer {
    const before = this.#random.bytes(1 + this.#random.below(MOST_BYTES));
    return Buffer.concat([before, Buffer.from(this.#canary), this.#random.bytes(16)]);
  }
}

/** By hand from docs/formats/submission.md: the proof must not ask the code it judges. */
export function submissionOf(source: string, id: string): string {
  return sha256(
    Buffer.concat(
      [source, id].flatMap((text) => {
        const bytes = Buffer.from(text);
        const length = Buffer.alloc(4);
        length.writeUInt32BE(bytes.length);
        return [length, bytes];
      }),
    ),
  );
}
