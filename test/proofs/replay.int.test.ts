import { randomUUID } from 'node:crypto';
import { readFile, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  consentCloudEvent,
  consentEntry,
  policyEntry,
  readPolicy,
  submissionEntry,
} from '@residency/contracts';
import type { LogEntry } from '@residency/contracts';
import type { PolicyDocument } from '@residency/residency';
import { generateRegionKey } from '@residency/sealing';
import { FIRST_POLICY } from '@residency/standalone';
import type { DataDirectory } from '@residency/standalone';
import { SALT, submissionEvent } from '@residency/testkit';
import { expect, test } from 'vitest';
import { DataCopies, reconcileOpening, routeAll, withData } from './data-copies.ts';
import { readLog, walkSites } from './on-disk.ts';
import { GIVEN, Traffic, trafficConsents } from './traffic.ts';

const EFFECTIVE_IN_MS = 100;

test('the same records routed again into empty stores, after consents and the policy changed, get the same outcomes, reasons and decisions', async () => {
  const copies = await DataCopies.make(trafficConsents());
  try {
    await copies.each(async (directory) => {
      await withData(directory, liveThroughChanges);
      const before = readLog(directory);
      const regions = swiss(before.audit.map(({ bytes }) => bytes));
      expect(regions).toEqual(['zurich', 'refused', 'moscow']);
      expect(new Set(before.audit.map(({ outcome }) => outcome))).toEqual(
        new Set(['stored', 'duplicate', 'refused', 'quarantined']),
      );

      await forgetRouting(directory);
      expect(readLog(directory)).toMatchObject({ audit: [], quarantine: [], settled: null });
      expect(await walkSites(directory)).toEqual({ objects: [], temporaries: [] });
      const report = await withData(directory, async (data) => {
        // What may differ shall differ: another key seals, other batches settle.
        await data.keys.add('zurich', await generateRegionKey('zurich', Date.now()));
        expect(await routeAll(data, { maxBatchRecords: 7 })).toBeUndefined();
        return await reconcileOpening(data);
      });

      const after = readLog(directory);
      expect(after.audit.map(({ bytes }) => blanked(bytes))).toEqual(
        before.audit.map(({ bytes }) => blanked(bytes)),
      );
      expect(after.audit.map(({ bytes }) => bytes.toString())).not.toEqual(
        before.audit.map(({ bytes }) => bytes.toString()),
      );
      expect(after.quarantine.map(String)).toEqual(before.quarantine.map(String));
      expect(report.differences.list).toEqual([]);
    });
  } finally {
    await copies.remove();
  }
});

/**
 * Traffic; then consent is withdrawn, and given again; then a newer policy moves Switzerland: each
 * step routed before the next.
 */
async function liveThroughChanges(data: DataDirectory): Promise<void> {
  const steps: (readonly LogEntry[])[] = [
    [...new Traffic(7, 60, 16 * 1024).entries(), fromSwitzerland('swiss-1')],
    [consent('withdrawn'), fromSwitzerland('swiss-2')],
    [consent('granted')],
  ];
  for (const entries of steps) {
    await data.log.append(entries);
    expect(await routeAll(data)).toBeUndefined();
  }
  const effectiveFrom = Date.now() + EFFECTIVE_IN_MS;
  await data.log.append([
    policyEntry(
      swissToMoscow(readPolicy(await readFile(FIRST_POLICY)).document, effectiveFrom),
      randomUUID(),
    ),
  ]);
  while (Date.now() <= effectiveFrom) await sleep(20);
  await data.log.append([fromSwitzerland('swiss-3'), ...new Traffic(8, 20, 16 * 1024).entries()]);
  expect(await routeAll(data)).toBeUndefined();
}

function swissToMoscow(first: PolicyDocument, at: number): PolicyDocument {
  const instant = new Date(at).toISOString();
  const rules = first.rules.flatMap((rule) =>
    rule.region !== 'zurich' || rule.until !== undefined || !rule.countries.includes('CH')
      ? [rule]
      : [
          { ...rule, countries: rule.countries.filter((country) => country !== 'CH') },
          { ...rule, id: `${rule.id}-ch`, countries: ['CH'], until: instant },
          { ...rule, id: 'ch-moved', region: 'moscow', from: instant, countries: ['CH'] },
        ],
  );
  return { ...first, version: 2, effectiveFrom: instant, rules };
}

function fromSwitzerland(id: string): LogEntry {
  return submissionEntry(
    submissionEvent({
      id,
      country: 'CH',
      consent: GIVEN,
      sample: id,
      attributes: { traceparent: TRACES.get(id) },
    }),
  );
}

// Audit events carry it on: a way to find a record's event without asking for its submission id.
const TRACES = new Map(
  ['swiss-1', 'swiss-2', 'swiss-3'].map((id, index) => [
    id,
    `00-${'a'.repeat(31)}${index + 1}-${'b'.repeat(16)}-01`,
  ]),
);

function swiss(events: readonly Buffer[]): readonly string[] {
  return [...TRACES.values()].map((trace) => {
    const { type, data } = JSON.parse(String(events.find((bytes) => bytes.includes(trace)))) as {
      readonly type: string;
      readonly data: { readonly decision?: { readonly region: string } };
    };
    return data.decision?.region ?? type.split('.')[2] ?? '';
  });
}

function consent(kind: 'granted' | 'withdrawn'): LogEntry {
  const envelope = { id: randomUUID(), source: 'urn:test:replay' };
  return consentEntry(
    consentCloudEvent(
      kind === 'withdrawn'
        ? { kind, consentId: GIVEN }
        : { kind, consentId: GIVEN, purposes: ['threat-sample-sharing'], termsVersion: '2022-01' },
      envelope,
    ),
    SALT,
  );
}

/**
 * Leaves the intake, consent and policy records with their append times, and nothing that routing
 * made of them.
 */
async function forgetRouting(directory: string): Promise<void> {
  const db = new DatabaseSync(join(directory, 'log.db'));
  db.exec(`
    DELETE FROM record WHERE topic IN (SELECT id FROM topic WHERE name IN ('residency.audit', 'threat.samples.quarantine'));
    UPDATE topic SET next = 0 WHERE name IN ('residency.audit', 'threat.samples.quarantine');
    UPDATE topic SET settled = NULL WHERE name = 'threat.samples';
    DELETE FROM audit;
    DELETE FROM consent;
    UPDATE projection SET next = 0, skipped = 0;
  `);
  db.close();
  for (const site of await readdir(join(directory, 'sites'))) {
    for (const kind of ['samples', 'metadata']) {
      for (const name of await readdir(join(directory, 'sites', site, kind)))
        await rm(join(directory, 'sites', site, kind, name), { recursive: true });
    }
  }
}

/** The event's bytes without what may differ on repetition (docs/formats/audit-event.md). */
function blanked(bytes: Buffer): string {
  return bytes
    .toString('utf8')
    .replaceAll(/"(sealedSha256|wrappingKey|versionId)":"[^"]*"/g, '"$1":""');
}
