import { join } from 'node:path';
import { TOPICS } from '@residency/contracts';
import type { LogEntry } from '@residency/contracts';
import { expect, test } from 'vitest';
import { DataCopies, reconcileOpening, routeAll, withData } from './data-copies.ts';
import { hostileRecord } from './hostile-records.ts';
import { readLog, sha256, walkSites } from './on-disk.ts';
import type { AuditRow, IntakeRow } from './on-disk.ts';
import { GIVEN, REGION_BY_COUNTRY, SITES_BY_REGION, trafficConsents } from './traffic.ts';

const SEED = 20_261_124;
const RECORDS = 3_000;
const REASONS: Readonly<Record<string, readonly string[]>> = {
  refused: ['CONSENT_UNKNOWN'],
  quarantined: [
    'UNDECODABLE',
    'UNKNOWN_TYPE',
    'INVALID_ATTRIBUTE',
    'CLASSIFICATION_UNKNOWN',
    'TOO_LARGE',
    'EMPTY_SAMPLE',
    'COUNTRY_UNKNOWN',
    'DIGEST_MISMATCH',
    'IDENTITY_CONFLICT',
  ],
};

test('3,000 hostile records never stop the router, reach no store unless they are submissions, and each gets an outcome with a reason', async () => {
  const copies = await DataCopies.make(trafficConsents());
  try {
    await copies.each(async (directory) => {
      const records = Array.from({ length: RECORDS }, (_, index) => hostileRecord(SEED, index));
      await withData(directory, async (data) => {
        for (let from = 0; from < RECORDS; from += 1_000)
          await data.log.append(records.slice(from, from + 1_000).map(({ entry }) => entry));
        await data.log.append([tooLarge()]);
        expect(await routeAll(data)).toBeUndefined();
        expect((await reconcileOpening(data)).differences.list).toEqual([]);
      });
      const { intake, audit, quarantine } = readLog(directory);
      expect(audit.map(({ offset }) => offset)).toEqual(intake.map(({ offset }) => offset));
      expect(intake).toHaveLength(RECORDS + 1);

      const wrong = records.flatMap(({ good }, offset) =>
        good === undefined ? [] : goodFaults(offset, good, audit[offset]),
      );
      for (const event of audit)
        if (!hasReason(event))
          wrong.push(`offset ${event.offset}: ${event.outcome} ${String(event.data.reason)}`);
      const stored = audit.filter(({ outcome }) => outcome === 'stored');
      for (const event of stored) wrong.push(...unlawful(intake[event.offset], event));
      expect(wrong).toEqual([]);

      const lawful = stored
        .flatMap(({ data }) =>
          (SITES_BY_REGION[regionOf(data)] ?? []).map((site) =>
            join(site, String(data.submission)),
          ),
        )
        .sort();
      expect(
        (await walkSites(directory)).objects
          .map(({ site, submission }) => join(site, submission))
          .sort(),
      ).toEqual(lawful);
      expect(quarantine).toHaveLength(
        audit.filter(({ outcome }) => outcome === 'quarantined').length,
      );
      // Different records must fail for different reasons, or the run would have tested little.
      expect(new Set(audit.flatMap(({ data }) => data.reason ?? []))).toEqual(
        new Set(Object.values(REASONS).flat()),
      );
      expect(Object.hasOwn(Object.prototype, 'polluted')).toBe(false);
    });
  } finally {
    await copies.remove();
  }
});

function tooLarge(): LogEntry {
  const headers = Object.entries({
    specversion: '1.0',
    id: 'large',
    source: 'urn:x',
    type: 'threat.sample.submitted.v1',
    usercountry: 'CH',
    consentid: GIVEN,
    verdict: 'suspicious',
  });
  return {
    topic: TOPICS.samples,
    record: {
      key: null,
      headers: headers.map(([name, value]) => [`ce_${name}`, Buffer.from(value)]),
      value: Buffer.alloc(16 * 1024 * 1024 + 1),
    },
  };
}

function hasReason({ outcome, data }: AuditRow): boolean {
  if (outcome === 'stored' || outcome === 'duplicate') return data.reason === undefined;
  return REASONS[outcome]?.includes(String(data.reason)) ?? false;
}

function goodFaults(
  offset: number,
  { region, sample }: { readonly region: string; readonly sample: Buffer },
  event: AuditRow | undefined,
): readonly string[] {
  const fits =
    event?.outcome === 'stored' &&
    regionOf(event.data) === region &&
    event.data['sampleSha256'] === sha256(sample);
  return fits
    ? []
    : [
        `offset ${offset}: a good submission came to ${String(event?.outcome)} ${String(event?.data.reason)}`,
      ];
}

function regionOf(data: AuditRow['data']): string {
  return (data['decision'] as { readonly region: string }).region;
}

/**
 * Checks the record's bytes again for the minimum that a submission must fulfil, independently of
 * the code that accepted it.
 */
function unlawful(row: IntakeRow | undefined, { offset, data }: AuditRow): readonly string[] {
  const { attributes, sample } =
    row === undefined
      ? { attributes: new Map<string, unknown>(), sample: Buffer.alloc(0) }
      : contentOf(row);
  const country = String(attributes.get('usercountry')).toUpperCase();
  const faults = [
    attributes.get('specversion') !== '1.0' && 'specversion',
    attributes.get('type') !== 'threat.sample.submitted.v1' && 'type',
    attributes.get('consentid') !== GIVEN && 'consentid',
    !['malicious', 'suspicious'].includes(String(attributes.get('verdict'))) && 'verdict',
    REGION_BY_COUNTRY[country] !== regionOf(data) && 'usercountry',
    attributes.has('dataclassification') && 'dataclassification',
    ![undefined, sha256(sample)].includes(attributes.get('samplesha256') as string | undefined) &&
      'samplesha256',
    sample.length === 0 && 'an empty sample',
    sha256(sample) !== data['sampleSha256'] && 'another sample',
  ].filter((fault) => fault !== false);
  return faults.map((fault) => `offset ${offset} was stored: ${fault}`);
}

function contentOf({ headers, value }: IntakeRow): {
  readonly attributes: ReadonlyMap<string, unknown>;
  readonly sample: Buffer;
} {
  const bytes = value ?? Buffer.alloc(0);
  if (!/^application\/cloudevents/i.test(headers.get('content-type')?.toString() ?? '')) {
    return {
      attributes: new Map(
        [...headers]
          .filter(([name]) => name.startsWith('ce_'))
          .map(([name, content]) => [name.slice('ce_'.length), content.toString()]),
      ),
      sample: bytes,
    };
  }
  const event = JSON.parse(bytes.toString()) as Record<string, unknown>;
  const attributes = new Map(Object.entries(event).filter(([, content]) => content !== null));
  const { data, data_base64: base64 } = event;
  if (typeof base64 === 'string') return { attributes, sample: Buffer.from(base64, 'base64') };
  return {
    attributes,
    sample: Buffer.from(typeof data === 'string' ? data : (JSON.stringify(data) ?? '')),
  };
}
