import { expect, test } from 'vitest';
import { createMetrics } from '../src/metrics.ts';
import type { Metrics } from '../src/metrics.ts';

type Settled = Parameters<Metrics['settled']>[0];

const HEX = 'a'.repeat(64);
const decision = (region: string) => ({ region, rule: 'europe', policy: { id: 'gti', version: 1, digest: HEX } });
const stored = (region: string, sampleBytes = 10): Settled => ({
  outcome: 'stored',
  data: { previous: null, submission: HEX, sampleSha256: HEX, sampleBytes, verdict: 'malicious', country: 'CH', consentId: 'consent-1', termsVersion: '1', decision: decision(region), placements: [] },
});
const refused: Settled = { outcome: 'refused', data: { previous: null, submission: HEX, sampleBytes: 5, verdict: 'malicious', consentId: 'consent-1', reason: 'CONSENT_UNKNOWN' } };
const quarantined: Settled = { outcome: 'quarantined', data: { previous: null, reason: 'TOO_LARGE' } };

const metrics = () => createMetrics({ version: '0.1.0', regions: ['zurich', 'moscow'] });
const linesOf = async (source: Metrics, name: string) => (await source.render()).body.split('\n').filter((line) => line.startsWith(`${name}{`)).sort();

test('counts settled records by outcome, reason and region, and the stored bytes', async () => {
  const subject = metrics();
  for (const event of [stored('zurich', 10), stored('zurich', 32), refused, quarantined]) subject.settled(event);
  expect(await linesOf(subject, 'residency_submissions_total')).toEqual([
    'residency_submissions_total{outcome="quarantined",reason="TOO_LARGE",region=""} 1',
    'residency_submissions_total{outcome="refused",reason="CONSENT_UNKNOWN",region=""} 1',
    'residency_submissions_total{outcome="stored",reason="",region="moscow"} 0',
    'residency_submissions_total{outcome="stored",reason="",region="zurich"} 2',
  ]);
  expect(await linesOf(subject, 'residency_sample_bytes_total')).toEqual(['residency_sample_bytes_total{region="moscow"} 0', 'residency_sample_bytes_total{region="zurich"} 42']);
});

test('names what routing waits for, and nothing once it goes on', async () => {
  const subject = metrics();
  subject.blocked('SITE_FULL');
  subject.blocked('SITE_UNREACHABLE');
  expect(await linesOf(subject, 'residency_router_blocked')).toEqual(['residency_router_blocked{code="SITE_UNREACHABLE"} 1']);
  subject.blocked(undefined);
  expect(await linesOf(subject, 'residency_router_blocked')).toEqual([]);
});

test('keeps label values few and free of input, whatever comes', async () => {
  const subject = metrics();
  for (let index = 0; index < 500; index += 1) {
    subject.settled(stored(`canary-${index}`));
    // @ts-expect-error no such reason: what a defect upstream would pass
    subject.settled({ outcome: 'quarantined', data: { previous: null, reason: `canary ${index}` } });
    // @ts-expect-error no such outcome
    subject.settled({ ...refused, outcome: `canary ${index}` });
    subject.blocked(`canary "${index}"\n`);
    subject.blocked(`CODE_${index}`);
  }
  const { body } = await subject.render();
  expect(body).not.toContain('canary');
  expect(await linesOf(subject, 'residency_submissions_total')).toHaveLength(5);
  expect(await linesOf(subject, 'residency_router_blocked')).toEqual(['residency_router_blocked{code="other"} 1']);
});

test('renders the build, the process metrics and their content type, apart from any other registry', async () => {
  const subject = metrics();
  metrics().settled(stored('zurich'));
  const { body, contentType } = await subject.render();
  expect(contentType).toMatch(/^text\/plain/);
  expect(body).toContain('residency_build_info{version="0.1.0"} 1');
  expect(body).toContain('process_cpu_seconds_total');
  expect(body).toContain('residency_submissions_total{outcome="stored",reason="",region="zurich"} 0');
});

test('a ledger\'s metrics say how far it is, how old its checkpoint is, what it waits for and what was found', async () => {
  const subject = metrics();
  let now = 1_000;
  const ledger = subject.ledger(() => now);
  expect(await linesOf(subject, 'residency_audit_findings_total')).toContain('residency_audit_findings_total{kind="HOLE"} 0');
  ledger.grown(3, { published: 10, size: 14, current: false });
  ledger.found('HOLE');
  ledger.found('not a kind');
  ledger.waits(3, 'SITE_UNREACHABLE');
  ledger.waits(3, 'SITE_BUSY');
  now = 3_500;
  expect((await Promise.all(['size', 'pending', 'checkpoint_age_seconds', 'blocked'].map((name) => linesOf(subject, `residency_ledger_${name}`)))).flat()).toEqual([
    'residency_ledger_size{partition="3"} 10', 'residency_ledger_pending{partition="3"} 4', 'residency_ledger_checkpoint_age_seconds{partition="3"} 2.5', 'residency_ledger_blocked{partition="3",code="SITE_BUSY"} 1',
  ]);
  expect(await linesOf(subject, 'residency_audit_findings_total')).toEqual(expect.arrayContaining(['residency_audit_findings_total{kind="HOLE"} 1', 'residency_audit_findings_total{kind="other"} 1']));
  ledger.grown(3, { published: 14, size: 14, current: true });
  ledger.waits(3, undefined);
  expect((await Promise.all(['checkpoint_age_seconds', 'blocked'].map((name) => linesOf(subject, `residency_ledger_${name}`)))).flat()).toEqual(['residency_ledger_checkpoint_age_seconds{partition="3"} 0']);
});
