import { encodeKafkaBinary } from '@residency/cloudevents';
import type { CloudEvent, KafkaContent } from '@residency/cloudevents';
import { CodedError } from '@residency/coded-error';
import { evolve } from '@residency/consent';
import type { ConsentEvent, ConsentHistory } from '@residency/consent';
import {
  DEFAULT_LIMITS,
  REDRIVE_HEADER,
  SUBMITTED,
  TOPICS,
  formatPosition,
  policyDigest,
  sha256,
  INITIAL_CONTROL,
} from '@residency/contracts';
import type { AuditEvent, LogRecord } from '@residency/contracts';
import type { PolicyDocument, PolicyPublished } from '@residency/residency';
import { createRouter } from '@residency/routing';
import type {
  Batch,
  BatchResult,
  ObjectStore,
  RouterDeps,
  Sealer,
  SettledOutcomes,
} from '@residency/routing';
import { MemoryObjectStore } from './memory-object-store.ts';

/** Seals nothing: for tests that need only the context and keys of a sealed message. */
export const transparentSealer: Sealer = {
  seal: async (sample, context) => {
    const message = Buffer.concat([Buffer.from(`sealed to ${context.region}: `), sample]);
    return { message, sealedSha256: sha256(message), wrappingKey: `${context.region}-test-key` };
  },
};

export interface SubmissionFields {
  readonly id?: string;
  readonly source?: string;
  readonly type?: string;
  readonly country?: string;
  readonly consent?: string;
  readonly sample?: string | Buffer;
  /** `undefined` leaves the attribute out. */
  readonly attributes?: Readonly<Record<string, string | undefined>>;
  readonly redriveOf?: string;
}

export const SOME_CONSENT = 'consent-0001';

/**
 * The use case with its ports in memory: logs with a clock that the test sets, and sites that the
 * test can break.
 */
export class RoutingWorld {
  readonly records: LogRecord[] = [];
  readonly policies: PolicyPublished[] = [];
  readonly sites: Map<string, ObjectStore> = new Map(
    ['zrh-1', 'zrh-2', 'mow-1'].map((site) => [site, new MemoryObjectStore(site)]),
  );
  readonly #consents = new Map<string, ConsentHistory>();
  /** The events of settled records, by position. */
  readonly events = new Map<string, AuditEvent>();
  /** Exclusive, as the ports define it. By default beyond all records. */
  watermark = Number.MAX_SAFE_INTEGER;

  policy(document: PolicyDocument, appendedAt = 0): this {
    this.policies.push({ document, digest: policyDigest(document), appendedAt });
    return this;
  }

  consent(at: number, event: ConsentEvent): this {
    this.#consents.set(
      event.consentId,
      evolve(this.#consents.get(event.consentId) ?? [], event, at),
    );
    return this;
  }

  granted(at: number, consentId = SOME_CONSENT): this {
    return this.consent(at, {
      kind: 'granted',
      consentId,
      purposes: ['threat-sample-sharing'],
      termsVersion: '2021-07',
    });
  }

  submit(at: number, fields: SubmissionFields = {}): this {
    return this.raw(
      at,
      encodeKafkaBinary(submissionEvent({ id: `s-${this.records.length}`, ...fields })),
      fields.redriveOf,
    );
  }

  raw(at: number, content: KafkaContent, redriveOf?: string): this {
    const headers =
      redriveOf === undefined
        ? content.headers
        : [...content.headers, [REDRIVE_HEADER, Buffer.from(redriveOf)] as const];
    this.records.push({
      topic: TOPICS.samples,
      partition: 0,
      offset: BigInt(this.records.length),
      at,
      key: null,
      headers,
      value: content.value,
    });
    return this;
  }

  memorySite(site: string): MemoryObjectStore {
    const store = this.sites.get(site);
    if (!(store instanceof MemoryObjectStore)) throw new TypeError(`${site} is not in memory`);
    return store;
  }

  /** Routes the records from `from` on as one batch. */
  async route(
    overrides: Partial<RouterDeps> = {},
    batch: Partial<Batch> = {},
  ): Promise<BatchResult> {
    const router = createRouter({
      limits: DEFAULT_LIMITS,
      sealer: transparentSealer,
      sites: { store: async (site) => this.#store(site) },
      outcomes: this.outcomes,
      control: { read: async () => INITIAL_CONTROL },
      watermarkMarginMs: 0,
      ...this.views(),
      ...overrides,
    });
    return await router({
      log: 'log-1',
      topic: TOPICS.samples,
      partition: 0,
      previous: null,
      records: this.records,
      signal: new AbortController().signal,
      ...batch,
    });
  }

  /** Makes the outcomes of a batch visible in the audit log. */
  settle(result: BatchResult): BatchResult {
    for (const { event } of result.settlements)
      this.events.set(formatPosition(event.position), event);
    return result;
  }

  /** Every partition holds the same records. */
  get outcomes(): SettledOutcomes {
    return {
      outcomeOf: async (position) => {
        const event = this.events.get(formatPosition(position));
        if (event !== undefined) return { state: 'settled', event };
        if (position.log !== 'log-1') return { state: 'foreign' };
        return { state: position.offset < BigInt(this.records.length) ? 'unsettled' : 'beyond' };
      },
    };
  }

  #store(site: string): ObjectStore {
    const store = this.sites.get(site);
    if (store === undefined)
      throw new CodedError({
        code: 'SITE_NOT_CONFIGURED',
        message: `Expected site ${site} in this world, found none.`,
        remedy: 'retry',
      });
    return store;
  }

  views(): Pick<RouterDeps, 'consents' | 'policies'> {
    return {
      consents: {
        read: async (ids) => ({
          watermark: this.watermark,
          histories: new Map(ids.flatMap((id) => [[id, this.#consents.get(id) ?? []] as const])),
        }),
      },
      policies: { read: async () => ({ watermark: this.watermark, versions: this.policies }) },
    };
  }
}

/** A valid submission from Switzerland, changed by `fields`. */
export function submissionEvent(fields: SubmissionFields = {}): CloudEvent {
  const {
    id = 's-0',
    source = 'urn:test:product',
    type = SUBMITTED,
    country = 'CH',
    consent = SOME_CONSENT,
    sample = 'harmless',
    attributes = {},
  } = fields;
  const extensions: Record<string, string> = {};
  for (const [name, value] of Object.entries({
    usercountry: country,
    consentid: consent,
    verdict: 'suspicious',
    ...attributes,
  })) {
    if (value !== undefined) extensions[name] = value;
  }
  return {
    specversion: '1.0',
    id,
    source,
    type,
    datacontenttype: 'application/octet-stream',
    extensions,
    data: Buffer.from(sample),
  };
}
