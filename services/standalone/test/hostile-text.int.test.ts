import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { encodeKafkaStructured } from '@residency/cloudevents';
import { TOPICS, submissionEntry } from '@residency/contracts';
import type { LogEntry } from '@residency/contracts';
import { createLogger, createMetrics } from '@residency/telemetry';
import { SALT, submissionEvent } from '@residency/testkit';
import { expect, it, onTestFinished } from 'vitest';
import { openDataDirectory, startStandalone } from '../src/index.ts';
import type { Standalone } from '../src/index.ts';
import { temporaryFolder } from './temporary-folder.ts';

async function started(data?: string): Promise<Standalone> {
  const standalone = await startStandalone({
    data: data ?? join(await temporaryFolder(), 'data'),
    host: '127.0.0.1',
    port: 0,
    examples: false,
    retainMs: 7 * 86_400_000,
    logger: createLogger({ level: 'silent' }),
    metrics: createMetrics({ service: 'standalone', version: 'test', now: Date.now }),
  });
  onTestFinished(() => standalone.stop());
  return standalone;
}

const GRANT = (consentId: string, terms = '"1"'): string =>
  `{"consentId":"${consentId}","purposes":["threat-sample-sharing"],"termsVersion":${terms}}`;

async function consent(
  { url }: Standalone,
  data: string,
): Promise<{ readonly status: number; readonly code?: string }> {
  const body = `{"specversion":"1.0","id":"${randomUUID()}","source":"urn:test","type":"consent.granted.v1","data":${data}}`;
  const answer = await fetch(`${url}/events`, {
    method: 'POST',
    headers: { 'content-type': 'application/cloudevents+json' },
    body,
  });
  return { status: answer.status, ...((await answer.json()) as object) };
}

async function outcome({ url }: Standalone, submission: string): Promise<string> {
  for (let tries = 0; tries < 1_000; tries += 1) {
    const { state, outcomes: [found] = [] } = (await (
      await fetch(`${url}/submissions/${submission}`)
    ).json()) as { state: string; outcomes?: { outcome: string; reason?: string }[] };
    if (state === 'settled' && found !== undefined)
      return `${found.outcome} ${found.reason ?? ''}`.trim();
    await sleep(20);
  }
  return 'never';
}

async function submit({ url }: Standalone, consentId: string): Promise<string> {
  const headers = {
    'content-type': 'text/plain',
    'ce-specversion': '1.0',
    'ce-id': randomUUID(),
    'ce-source': 'urn:test',
    'ce-type': 'threat.sample.submitted.v1',
    'ce-usercountry': 'CH',
    'ce-consentid': consentId,
    'ce-verdict': 'suspicious',
  };
  const {
    accepted: [first],
  } = (await (
    await fetch(`${url}/events`, { method: 'POST', headers, body: 'harmless' })
  ).json()) as { accepted: { submission: string }[] };
  return first?.submission ?? '';
}

it('refuses at the intake a consent that two readers read differently, and continues to route', async () => {
  const standalone = await started();
  for (const data of [
    GRANT('consent-0001', String.raw`"\ud800"`),
    GRANT('consent-0001').replace('{', '{"consentId":"consent-0002",'),
    GRANT('consent-0001').replace('{', '{"__proto__":{},'),
    GRANT('consent-0001', '1e999'),
    GRANT('consent-0001', `${'['.repeat(400)}${']'.repeat(400)}`),
  ])
    expect(await consent(standalone, data)).toMatchObject({
      status: 400,
      code: 'INVALID_CONSENT_EVENT',
    });
  expect(await outcome(standalone, await submit(standalone, 'consent-0001'))).toBe(
    'refused CONSENT_UNKNOWN',
  );
  expect(await consent(standalone, GRANT('consent-0001'))).toMatchObject({ status: 202 });
  expect(await outcome(standalone, await submit(standalone, 'consent-0001'))).toBe('stored');
});

it('starts on a log with such a consent and policy from an earlier release, refuses its samples and stores the others, each time', async () => {
  const folder = join(await temporaryFolder(), 'data');
  const data = await openDataDirectory(folder);
  const consents = (consentId: string, terms?: string): LogEntry =>
    entry(TOPICS.consents, 'consent.granted.v1', GRANT(consentId, terms));
  const [policy] = (await data.log.policyView().read()).versions;
  const notes = JSON.stringify({ ...policy?.document, version: 2, notes: ['n\ud800'] });
  expect(notes).toContain(String.raw`\ud800`);
  const sample = (id: string, consentId: string): LogEntry =>
    submissionEntry(submissionEvent({ id, consent: consentId }));
  await data.log.append([
    consents('consent-lone', String.raw`"\ud800"`),
    consents('consent-0001'),
    entry(TOPICS.policy, 'policy.published.v1', notes),
    sample('a', 'consent-lone'),
    sample('b', 'consent-0001'),
  ]);
  await data.close();
  for (let start = 0; start < 2; start += 1) {
    const standalone = await started(folder);
    expect(
      await Promise.all(
        ['a', 'b'].map((id) =>
          outcome(standalone, submissionEntry(submissionEvent({ id })).submission ?? ''),
        ),
      ),
    ).toEqual(['refused CONSENT_UNKNOWN', 'stored']);
    expect(await consent(standalone, GRANT(`consent-1000${start}`))).toMatchObject({ status: 202 });
    expect(await outcome(standalone, await submit(standalone, `consent-1000${start}`))).toBe(
      'stored',
    );
    expect((await fetch(`${standalone.url}/readyz`)).status).toBe(200);
    await standalone.stop();
    await standalone.ended;
  }
});

function entry(topic: LogEntry['topic'], type: string, data: string): LogEntry {
  const id = randomUUID();
  return {
    topic,
    record: {
      key: Buffer.from(id),
      ...encodeKafkaStructured({
        specversion: '1.0',
        id,
        source: 'urn:test',
        type,
        datacontenttype: 'application/json',
        extensions: { salt: SALT },
        data: Buffer.from(data),
      }),
    },
  };
}
