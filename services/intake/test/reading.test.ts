import { CodedError } from '@residency/coded-error';
import { encodeAuditEvent } from '@residency/contracts';
import type { AuditEvent } from '@residency/contracts';
import { expect, it } from 'vitest';
import { IntakeWorld } from './intake-world.ts';

const SUBMISSION = 'ab'.repeat(32);
const position = (offset: bigint) => ({
  log: 'log-1',
  topic: 'threat.samples',
  partition: 0,
  offset,
});
const decision = {
  region: 'zurich',
  rule: 'europe',
  policy: { id: 'p', version: 1, digest: 'cd'.repeat(32) },
};
const judged = {
  submission: SUBMISSION,
  sampleSha256: 'ef'.repeat(32),
  sampleBytes: 3,
  verdict: 'suspicious',
  country: 'DE',
  consentId: 'consent-0001',
  termsVersion: '3',
  decision,
} as const;
const EVENTS: readonly AuditEvent[] = [
  {
    position: position(1n),
    at: 1_000,
    outcome: 'refused',
    data: {
      previous: null,
      submission: SUBMISSION,
      sampleBytes: 3,
      verdict: 'suspicious',
      consentId: 'consent-0001',
      reason: 'CONSENT_UNKNOWN',
    },
  },
  {
    position: position(2n),
    at: 2_000,
    outcome: 'stored',
    data: {
      previous: '1',
      ...judged,
      placements: [
        {
          site: 'zrh-1',
          key: 'k',
          sealedSha256: '01'.repeat(32),
          sealedBytes: 9,
          wrappingKey: 'w',
        },
      ],
    },
  },
  {
    position: position(3n),
    at: 3_000,
    outcome: 'duplicate',
    data: { previous: '2', ...judged, of: 'log-1/threat.samples/0/2' },
  },
  {
    position: position(4n),
    at: 4_000,
    outcome: 'quarantined',
    data: { previous: '3', submission: SUBMISSION, reason: 'TOO_LARGE' },
  },
];

it('returns the outcome of a settled submission, and nothing about the person', async () => {
  const world = await new IntakeWorld().start();
  world.states.set(SUBMISSION, { state: 'settled', events: EVENTS.map(encodeAuditEvent) });
  const { status, body, text } = await world.get(`/submissions/${SUBMISSION}`);
  expect(status).toBe(200);
  expect(body).toEqual({
    submission: SUBMISSION,
    state: 'settled',
    outcomes: [
      {
        outcome: 'refused',
        reason: 'CONSENT_UNKNOWN',
        position: 'log-1/threat.samples/0/1',
        at: '1970-01-01T00:00:01.000Z',
      },
      {
        outcome: 'stored',
        region: 'zurich',
        position: 'log-1/threat.samples/0/2',
        at: '1970-01-01T00:00:02.000Z',
      },
      {
        outcome: 'duplicate',
        region: 'zurich',
        of: 'log-1/threat.samples/0/2',
        position: 'log-1/threat.samples/0/3',
        at: '1970-01-01T00:00:03.000Z',
      },
      {
        outcome: 'quarantined',
        reason: 'TOO_LARGE',
        position: 'log-1/threat.samples/0/4',
        at: '1970-01-01T00:00:04.000Z',
      },
    ],
  });
  expect(text).not.toContain('consent-0001');
});

it('returns that a submission waits', async () => {
  const world = await new IntakeWorld().start();
  world.states.set(SUBMISSION, { state: 'pending' });
  expect((await world.get(`/submissions/${SUBMISSION}`)).body).toEqual({
    submission: SUBMISSION,
    state: 'pending',
    outcomes: [],
  });
});

it('returns when a consent was given, and an empty list if it never was', async () => {
  const world = await new IntakeWorld().start();
  world.histories.set('c'.repeat(128), [
    { from: 1_000, until: 2_000, purposes: ['threat-sample-sharing'], termsVersion: '3' },
    { from: 3_000, purposes: ['other'], termsVersion: '4', termsSha256: 'ab'.repeat(32) },
  ]);
  expect((await world.get(`/consents/${'c'.repeat(128)}`)).body).toEqual({
    consentId: 'c'.repeat(128),
    intervals: [
      {
        from: '1970-01-01T00:00:01.000Z',
        until: '1970-01-01T00:00:02.000Z',
        purposes: ['threat-sample-sharing'],
        termsVersion: '3',
      },
      {
        from: '1970-01-01T00:00:03.000Z',
        purposes: ['other'],
        termsVersion: '4',
        termsSha256: 'ab'.repeat(32),
      },
    ],
  });
  expect((await world.get('/consents/consent-0002')).body).toEqual({
    consentId: 'consent-0002',
    intervals: [],
  });
});

it.for([
  ['GET', `/submissions/${SUBMISSION}`, 404, 'SUBMISSION_UNKNOWN'],
  ['GET', `/submissions/${SUBMISSION.toUpperCase()}`, 400, 'INVALID_SUBMISSION_ID'],
  ['GET', '/submissions/canary', 400, 'INVALID_SUBMISSION_ID'],
  ['GET', '/submissions/%zz', 400, 'MALFORMED_REQUEST'],
  ['GET', '/consents/short', 400, 'INVALID_CONSENT_ID'],
  ['GET', '/canary', 404, 'PATH_UNKNOWN'],
  ['POST', '/canary', 404, 'PATH_UNKNOWN'],
  ['GET', '/events', 405, 'METHOD_NOT_ALLOWED'],
  ['DELETE', `/submissions/${SUBMISSION}`, 405, 'METHOD_NOT_ALLOWED'],
  ['POST', '/?canary', 405, 'METHOD_NOT_ALLOWED'],
] as const)(
  'answers %s %s with %i %s and a problem document',
  async ([method, path, status, code]) => {
    const world = await new IntakeWorld().start();
    const response = await fetch(world.intake.url + path, { method });
    const text = await response.text();
    expect([response.status, JSON.parse(text)]).toMatchObject([status, { status, code }]);
    expect(response.headers.get('content-type')).toContain('application/problem+json');
    expect(text).not.toContain('canary');
  },
);

it.for([
  ['GET', '/events', 'POST'],
  ['POST', '/readyz', 'GET, HEAD'],
] as const)('answers 405 for %s %s and names %s as allowed', async ([method, path, allow]) => {
  const world = await new IntakeWorld().start();
  expect((await fetch(world.intake.url + path, { method })).headers.get('allow')).toBe(allow);
});

it('answers 503 if the log cannot be read', async () => {
  const world = await new IntakeWorld().start({
    status: {
      find: async () => {
        throw new CodedError({ code: 'LOG_UNAVAILABLE', message: 'x', remedy: 'stop' });
      },
    },
  });
  const answer = await world.get(`/submissions/${SUBMISSION}`);
  expect([answer.status, answer.body['code'], answer.headers.get('retry-after')]).toEqual([
    503,
    'LOG_UNAVAILABLE',
    '30',
  ]);
});

it('answers probes, metrics and the index', async () => {
  const world = await new IntakeWorld().start();
  expect((await world.get('/livez')).status).toBe(200);
  expect((await world.get('/readyz')).body).toEqual({
    ready: true,
    checks: [{ name: 'log', ok: true }],
  });
  const metrics = await world.get('/metrics');
  expect([metrics.text, metrics.headers.get('content-type')]).toEqual([
    'residency_up 1\n',
    'text/plain; version=0.0.4',
  ]);
  expect(Object.keys(Object((await world.get('/')).body['paths']))).toContain('POST /events');
  world.live = false;
  world.readiness = { ready: false, checks: [{ name: 'zrh-1', ok: false }] };
  expect((await world.get('/livez')).status).toBe(503);
  const waiting = await world.get('/readyz');
  expect([waiting.status, waiting.body]).toEqual([503, world.readiness]);
});
