import { CodedError } from '@residency/coded-error';
import {
  INITIAL_CONTROL,
  TOPICS,
  custodyEventIn,
  formatPosition,
  objectKey,
  sha256,
} from '@residency/contracts';
import type { ControlState, CustodyEvent, Position, StoredEvent } from '@residency/contracts';
import type { ConsentHistory } from '@residency/consent';
import { Custodian } from '@residency/custodianship';
import type {
  AccessDesk,
  AuditFeedRecord,
  CustodianSite,
  CustodyLog,
} from '@residency/custodianship';
import { Vault, parsePurposes } from '@residency/vault';
import type { AccessOrder, Asker, VaultDeps } from '@residency/vault';
import { MemoryCustodianSite } from './memory-custodian-site.ts';
import { MemoryObjectStore } from './memory-object-store.ts';
import { SHIPPED_POLICY } from './shipped-policy.ts';

export const VAULT_NOW = Date.UTC(2026, 0, 1);
export const VAULT_SAMPLE = Buffer.from('a harmless sample');
export const VAULT_SUBMISSION = sha256(Buffer.from('submission'));
const POSITION: Position = { log: 'log-1', topic: TOPICS.samples, partition: 0, offset: 7n };
const SEALED = Buffer.concat([Buffer.from('sealed '), VAULT_SAMPLE]);
const DIGEST = 'c'.repeat(64);
const SITES = ['zrh-1', 'zrh-2'] as const;

export const VAULT_PURPOSES = {
  purposes: [
    {
      id: 'analysis',
      principals: ['ana', 'bob'],
      forms: ['cart', 'raw'],
      lifetimeSeconds: 600,
      daily: { count: 5, bytes: 1_000, searches: 1_000, results: 3_000 },
    },
    {
      id: 'research',
      principals: ['ana'],
      approvals: 2,
      approvers: ['ana', 'bob', 'eve'],
      lifetimeSeconds: 600,
      daily: { count: 5, bytes: 1_000 },
    },
    {
      id: 'nobody',
      principals: [],
      lifetimeSeconds: 600,
      daily: { count: 5, bytes: 1_000 },
    },
  ],
};

/** A UUID of version 7 that was made at this time; `nth` tells it from others. */
export function accessIdAt(at: number, nth = 0): string {
  const time = at.toString(16).padStart(12, '0');
  return `${time.slice(0, 8)}-${time.slice(8)}-7000-8000-${nth.toString(16).padStart(12, '0')}`;
}

/** How an append of the custody log, or a confirmation, ends. */
export type VaultFault = 'pass' | 'fail' | 'fail-but-persist';

/** Zurich with one stored sample, its custody log, and whoever is its custodian. */
export class VaultWorld {
  readonly log: Buffer[] = [];
  /** The audit log, by partition. */
  readonly audit: (Buffer | null)[][] = [[]];
  readonly away = new Set<string>();
  /** Records of the log that a published checkpoint contains. */
  published = 0;
  /** The ledger follows the log at once. */
  publishes = true;
  faults: VaultFault[] = [];
  now = VAULT_NOW;
  /** Orders to erase, and which sites serve. */
  control: ControlState = INITIAL_CONTROL;
  consent: ConsentHistory = [
    { from: VAULT_NOW - 1_000, purposes: ['threat-sample-sharing'], termsVersion: '1' },
  ];
  owner = 0;
  /** What was given out, with the state of the world at the confirmation. */
  confirmedOwner = -1;
  readonly #stores = new Map<string, MemoryCustodianSite>();

  static async open(): Promise<VaultWorld> {
    const world = new VaultWorld();
    for (const site of SITES) {
      const store = new MemoryCustodianSite(new MemoryObjectStore(site));
      world.#stores.set(site, store);
      await store.create({
        key: objectKey(VAULT_SUBMISSION),
        bytes: SEALED,
        metadata: {
          position: formatPosition(POSITION),
          sampleSha256: sha256(VAULT_SAMPLE),
          country: 'CH',
          policyDigest: DIGEST,
          sealedSha256: sha256(SEALED),
          wrappingKey: 'zurich-test-key',
        },
      });
    }
    return world;
  }

  site(name: string): MemoryCustodianSite {
    const site = this.#stores.get(name);
    if (site === undefined) throw new TypeError(name);
    return site;
  }

  /** Events about accesses. */
  get events(): readonly CustodyEvent[] {
    return this.log.flatMap((value) => custodyEventIn(value) ?? []);
  }

  get types(): readonly string[] {
    return this.events.map(({ type }) => type.split('.').slice(1, 3).join('.'));
  }

  /** The vault of a custodian that just became the active one. */
  async vault(changes: Partial<VaultDeps> = {}): Promise<Vault> {
    const desk = await this.desk();
    const sites = {
      site: async (name: string): Promise<CustodianSite> => {
        if (this.away.has(name))
          throw new CodedError({ code: 'AWAY', message: 'away', remedy: 'retry' });
        return this.site(name);
      },
    };
    return new Vault({
      region: 'zurich',
      purposes: parsePurposes(JSON.stringify(VAULT_PURPOSES)),
      referenceDigest: (reference) => sha256(Buffer.from(reference)),
      desk: () => desk,
      outcomes: {
        outcomeOf: async (position) =>
          formatPosition(position) === formatPosition(POSITION)
            ? { state: 'settled', event: vaultStoredEvent() }
            : { state: 'unsettled' },
      },
      consents: {
        read: async () => ({
          watermark: this.now,
          histories: new Map([['consent-1', this.consent]]),
        }),
      },
      sites,
      opener: {
        open: async (message) => ({
          sample: message.subarray('sealed '.length),
          submission: VAULT_SUBMISSION,
        }),
      },
      packer: {
        pack: async (form, sample) => ({
          bytes: sample,
          contentType: form,
          contentDisposition: 'attachment; filename="sample.cart"',
        }),
      },
      ledger: {
        contains: async (leaf) => {
          if (this.publishes) this.published = this.log.length;
          return this.log.slice(0, this.published).some((value) => value.equals(leaf));
        },
      },
      now: () => this.now,
      pause: async () => {
        // A turn of the event loop: clients go, and requests arrive, meanwhile.
        await new Promise((resolve) => {
          setImmediate(resolve);
        });
      },
      ...changes,
    });
  }

  /** Before the first round, as the service opens it. */
  async desk(): Promise<AccessDesk> {
    const custodian = await Custodian.begin({
      custody: this.#open(),
      audit: {
        partitions: async () => [...this.audit.keys()],
        read: (partition, from) => auditRecords(this.audit[partition] ?? [], from),
      },
      sites: { site: async (name) => this.site(name) },
      outcomes: { outcomeOf: async () => ({ state: 'unsettled' }) },
      policies: { read: async () => ({ watermark: VAULT_NOW, versions: [POLICY] }) },
      control: () => this.control,
      now: () => VAULT_NOW,
      elapsed: () => 0,
      random: () => 0,
    });
    return custodian.accesses;
  }

  #open(): CustodyLog {
    this.owner += 1;
    const { owner, log } = this;
    const step = (persist: () => void): void => {
      const fault = this.faults.shift() ?? 'pass';
      if (owner !== this.owner)
        throw new CodedError({ code: 'FENCED', message: 'fenced', remedy: 'retry' });
      if (fault !== 'fail') persist();
      if (fault !== 'pass')
        throw new CodedError({ code: 'UNREACHABLE', message: 'unknown', remedy: 'retry' });
    };
    return {
      log: 'log-1',
      region: 'zurich',
      read: async function* read(this: void) {
        for (const [index, value] of [...log].entries()) yield { offset: BigInt(index), value };
      },
      append: async (values) => {
        step(() => log.push(...values));
        return BigInt(log.length) - 1n;
      },
      confirm: async () => {
        step(() => undefined);
        this.confirmedOwner = owner;
      },
      close: async () => undefined,
    };
  }
}

export function accessOrder(changes: Partial<AccessOrder> = {}): AccessOrder {
  return {
    access: accessIdAt(VAULT_NOW),
    submission: VAULT_SUBMISSION,
    purpose: 'analysis',
    reference: 'ticket 1',
    form: 'raw',
    ...changes,
  };
}

async function* auditRecords(
  values: readonly (Buffer | null)[],
  from: bigint,
): AsyncGenerator<AuditFeedRecord> {
  if (from > BigInt(values.length))
    throw new CodedError({
      code: 'OFFSET_OUT_OF_RANGE',
      message: 'no such offset',
      remedy: 'stop',
    });
  const end = values.length;
  for (let at = Number(from); at < end; at += 1)
    yield { offset: BigInt(at), value: values[at] ?? null };
}

const POLICY = {
  document: SHIPPED_POLICY.document,
  digest: DIGEST,
  appendedAt: VAULT_NOW - 10_000,
};

/** Of the world's sample, or of another submission at another offset of the intake log. */
export function vaultStoredEvent(
  changes: Partial<StoredEvent['data']> & { readonly nth?: number; readonly at?: number } = {},
): StoredEvent {
  const { nth, at = VAULT_NOW - 500, ...data } = changes;
  const submission = nth === undefined ? VAULT_SUBMISSION : sha256(Buffer.from(`sample ${nth}`));
  return {
    position: nth === undefined ? POSITION : { ...POSITION, offset: BigInt(nth) },
    at,
    outcome: 'stored',
    data: {
      previous: null,
      submission,
      sampleSha256: sha256(VAULT_SAMPLE),
      sampleBytes: VAULT_SAMPLE.length,
      verdict: 'malicious',
      country: 'CH',
      consentId: 'consent-1',
      termsVersion: '1',
      decision: {
        region: 'zurich',
        rule: 'europe',
        policy: { id: 'policy', version: 1, digest: DIGEST },
      },
      placements: SITES.map((site) => ({
        site,
        key: objectKey(submission),
        sealedSha256: sha256(SEALED),
        sealedBytes: SEALED.length,
        wrappingKey: 'zurich-test-key',
      })),
      ...data,
    },
  };
}

/** Who has this pseudonym, and is in these groups. */
export function asker(principal: string, ...groups: readonly string[]): Asker {
  return { principal, groups };
}
