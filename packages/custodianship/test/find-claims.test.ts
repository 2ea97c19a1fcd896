import { createHash } from 'node:crypto';
import { auditEventIn, custodyEntry, encodeAuditEvent, parsePosition } from '@residency/contracts';
import type { DuplicateData, QuarantinedData, StoredData } from '@residency/contracts';
import { KeySet, findClaims } from '@residency/custodianship';
import type { AuditFeed, CustodyReading, FoundClaims } from '@residency/custodianship';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

const digest = (text: string): string => createHash('sha256').update(text).digest('hex');
const AT = Date.UTC(2026, 0, 1);
const judged = (name: string, region: string) => ({
  submission: digest(name),
  sampleSha256: digest(`sample ${name}`),
  sampleBytes: 1,
  verdict: 'suspicious' as const,
  country: 'CH',
  consentId: 'c',
  termsVersion: '1',
  decision: { region, rule: 'r', policy: { id: 'p', version: 1, digest: digest('policy') } },
});
const at = (offset: number, partition = 0): string => `log-1/threat.samples/${partition}/${offset}`;
const event = (
  position: string,
  rest:
    | { readonly outcome: 'stored'; readonly data: StoredData }
    | { readonly outcome: 'duplicate'; readonly data: DuplicateData }
    | { readonly outcome: 'quarantined'; readonly data: QuarantinedData },
): Buffer => encodeAuditEvent({ position: parsePosition(position), at: AT, ...rest });
const placed = (site: string, name: string, sealed = name) => ({
  site,
  key: `samples/${digest(name)}`,
  sealedSha256: digest(`sealed ${sealed}`),
  sealedBytes: 10,
  wrappingKey: 'k',
});

function stored(
  position: string,
  name: string,
  sites: readonly string[],
  region = 'zurich',
): Buffer {
  const placements = sites.map((site) => placed(site, name));
  return event(position, {
    outcome: 'stored',
    data: { previous: null, ...judged(name, region), placements },
  });
}
const duplicate = (position: string, name: string, of: string): Buffer =>
  event(position, {
    outcome: 'duplicate',
    data: { previous: null, ...judged(name, 'zurich'), of },
  });

/** A record with another sample than `name`'s; `of` absent: nobody could tell whose the identity is. */
const conflict = (position: string, name: string, of?: string, region = 'zurich'): Buffer =>
  event(position, {
    outcome: 'quarantined',
    data: {
      previous: null,
      reason: 'IDENTITY_CONFLICT',
      ...judged(name, region),
      sampleSha256: digest('another sample'),
      ...(of === undefined
        ? {}
        : { of, owner: { sampleSha256: digest(`sample ${name}`), country: 'CH' } }),
    },
  });

/** A custody event that is appended as the `sequence`th. */
type Copied = (sequence: number) => Buffer;

const copied =
  (of: string, name: string, site: string, sealed = name): Copied =>
  (sequence) => {
    const copy = placed(site, name, sealed);
    const { record } = custodyEntry({
      log: 'log-1',
      sequence,
      at: AT,
      type: 'residency.sample.copied.v1',
      data: { previous: null, of, submission: digest(name), region: 'zurich', copy, from: 'zrh-1' },
    });
    return record.value ?? Buffer.alloc(0);
  };

/** Each event in the audit partition of its record. */
function feedOf(audit: readonly Buffer[]): AuditFeed {
  const partitionOf = (value: Buffer): number => auditEventIn(value)?.position.partition ?? 0;
  return {
    partitions: async () => [...new Set(audit.map(partitionOf))].toSorted((a, b) => a - b),
    read: async function* read(partition, from) {
      for (const [offset, value] of audit.filter((one) => partitionOf(one) === partition).entries())
        if (BigInt(offset) >= from) yield { offset: BigInt(offset), value };
    },
  };
}

function custodyOf(values: readonly Buffer[]): CustodyReading {
  return {
    log: 'log-1',
    region: 'zurich',
    read: async function* read(from = 0n) {
      for (const [offset, value] of values.entries())
        if (BigInt(offset) >= from) yield { offset: BigInt(offset), value };
    },
  };
}

function keysOf(names: readonly string[]): KeySet {
  const keys = new KeySet();
  for (const name of names) keys.add(digest(name));
  return keys;
}

async function find(
  audit: readonly Buffer[],
  {
    custody = [],
    listed = [],
    inThird = [],
    sites = ['zrh-2'],
  }: {
    readonly inThird?: readonly string[];
    readonly custody?: readonly Copied[];
    readonly listed?: readonly string[];
    readonly sites?: readonly [string, ...string[]];
  } = {},
): Promise<Omit<FoundClaims, 'auditRecords'>> {
  const { claims, unheld } = await findClaims({
    sites,
    audit: feedOf(audit),
    custody: custodyOf(custody.map((event, sequence) => event(sequence))),
    listed: Promise.resolve(
      new Map([
        ['zrh-2', keysOf(listed)],
        ['zrh-3', keysOf(inThird)],
      ]),
    ),
  });
  return { claims, unheld };
}
const claim = (name: string, of: string) => ({
  submission: digest(name),
  of,
  sampleSha256: digest(`sample ${name}`),
  country: 'CH',
});

describe('claims', () => {
  it('are of stored samples whose object the next arbiter lacks, by the logs or by its list', async () => {
    const both = ['zrh-1', 'zrh-2'];
    const audit = [
      stored(at(0), 'there', both),
      stored(at(1), 'lost', both),
      stored(at(2), 'owed', ['zrh-1']),
      stored(at(3), 'elsewhere', ['mow-1'], 'moscow'),
    ];
    expect(await find(audit, { listed: ['there', 'owed'] })).toEqual({
      claims: [claim('lost', at(1)), claim('owed', at(2))],
      unheld: 2,
    });
  });

  it('are not needed for what a custodian copied, with the ciphertext of the event', async () => {
    const audit = [stored(at(0), 'a', ['zrh-1']), stored(at(1), 'b', ['zrh-1'])];
    const custody = [copied(at(0), 'a', 'zrh-2'), copied(at(1), 'b', 'zrh-2', 'another')];
    expect(await find(audit, { custody, listed: ['a', 'b'] })).toEqual({
      claims: [claim('b', at(1))],
      unheld: 1,
    });
  });

  it('pass over a custody event whose number was there before', async () => {
    const audit = [stored(at(0), 'a', ['zrh-1']), stored(at(1), 'b', ['zrh-1'])];
    const again = [copied(at(0), 'a', 'zrh-2'), () => copied(at(1), 'b', 'zrh-2')(0)];
    expect((await find(audit, { custody: again, listed: ['a', 'b'] })).claims).toEqual([
      claim('b', at(1)),
    ]);
  });

  it('count a sample that a third site has as held', async () => {
    const audit = [stored(at(0), 'a', ['zrh-1', 'zrh-3'])];
    const sites = ['zrh-2', 'zrh-3'] as const;
    expect(await find(audit, { sites, inThird: ['a'] })).toMatchObject({
      claims: [claim('a', at(0))],
      unheld: 0,
    });
    // By the logs it has it, and by its list not.
    expect(await find(audit, { sites })).toMatchObject({ unheld: 1 });
  });

  it('are of a record that a duplicate names, unless it is settled', async () => {
    const audit = [
      stored(at(0), 'a', ['zrh-2']),
      duplicate(at(0, 1), 'a', at(0)),
      duplicate(at(1, 1), 'b', at(1)),
      duplicate(at(2, 1), 'c', at(5)),
      stored(at(5), 'c', ['zrh-2']),
      duplicate(at(3, 1), 'd', at(6)),
    ];
    expect(await find(audit, { listed: ['a', 'c'] })).toEqual({
      claims: [claim('d', at(6))],
      unheld: 0,
    });
  });

  it('are of a record that a conflict names, with the sample that the record has, unless it is settled', async () => {
    const audit = [
      stored(at(0), 'a', ['zrh-2']),
      conflict(at(0, 1), 'a', at(0)),
      conflict(at(1, 1), 'b', at(1)),
      conflict(at(2, 1), 'c', at(5)),
      stored(at(5), 'c', ['zrh-2']),
      conflict(at(3, 1), 'd', at(6)),
      conflict(at(4, 1), 'e', at(7), 'moscow'),
      conflict(at(5, 1), 'f'),
    ];
    expect(await find(audit, { listed: ['a', 'c'] })).toEqual({
      claims: [claim('d', at(6))],
      unheld: 0,
    });
  });

  it('are not of a record of another log: no event of this log would ever end the wait for it', async () => {
    const elsewhere = 'log-0/threat.samples/0/9';
    const audit = [duplicate(at(0), 'a', elsewhere), conflict(at(1), 'b', elsewhere)];
    expect(await find(audit)).toEqual({ claims: [], unheld: 0 });
  });

  it('are of exactly the records that events name and that have none, whatever the order', async () => {
    // Partition 1 names records of partition 0, of which the first `settled` are settled.
    const names = fc.array(fc.record({ of: fc.nat({ max: 9 }), equal: fc.boolean() }), {
      maxLength: 20,
    });
    await fc.assert(
      fc.asyncProperty(names, fc.nat({ max: 9 }), fc.boolean(), async (all, settled, late) => {
        const own = Array.from({ length: settled }, (_, n) => stored(at(n), `s${n}`, ['zrh-2']));
        const others = all.map(({ of, equal }, n) =>
          (equal ? duplicate : conflict)(at(n, 1), `s${of}`, at(of)),
        );
        const audit = late ? [...others, ...own] : [...own, ...others];
        const { claims } = await find(audit, { listed: own.map((_, n) => `s${n}`) });
        const wanted = new Set(all.map(({ of }) => of).filter((of) => of >= settled));
        expect(claims.toSorted((a, b) => a.of.localeCompare(b.of))).toEqual(
          [...wanted].toSorted((a, b) => a - b).map((n) => claim(`s${n}`, at(n))),
        );
      }),
    );
  });
});
