import { randomUUID } from 'node:crypto';
import { encodeKafkaStructured } from '@residency/cloudevents';
import { TOPICS, decodeAuditEvent, readPolicyRecord, submissionEntry } from '@residency/contracts';
import type { LogEntry } from '@residency/contracts';
import { SALT, eventually, submissionEvent } from '@residency/testkit';
import { afterEach, expect, test } from 'vitest';
import { Deployment } from '../running-deployment/deployment.ts';
import type { ServiceName, ServiceProcess } from '../running-deployment/service-process.ts';
import { resp } from '../faults/cluster/resp.ts';
import { sharedStack } from '../stack/index.ts';

const SERVICES: readonly ServiceName[] = [
  'consent-projector',
  'intake',
  'auditor',
  'exporter',
  'router',
];
const LONE = String.raw`"\ud800"`;
const GRANT = (consentId: string, terms = '"1"'): string =>
  `{"consentId":"${consentId}","purposes":["threat-sample-sharing"],"termsVersion":${terms}}`;

let deployment: Deployment | undefined;
afterEach(async () => {
  await deployment?.close();
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
const granted = (consentId: string, terms?: string): LogEntry =>
  entry(TOPICS.consents, 'consent.granted.v1', GRANT(consentId, terms));
const sample = (id: string, consent: string): LogEntry =>
  submissionEntry(submissionEvent({ id, consent }));

/** The outcomes in the audit log, by the ids of the published samples. */
async function outcomesOf(cluster: Deployment, ids: readonly string[]): Promise<readonly string[]> {
  const { log } = cluster;
  const named = new Map(ids.map((id) => [submissionEntry(submissionEvent({ id })).submission, id]));
  return await eventually(async () => {
    const found = new Map<string, string>();
    for await (const { value } of log.read(TOPICS.audit, {
      until: 'end',
      signal: AbortSignal.timeout(300_000),
    })) {
      const { outcome, data } = decodeAuditEvent(value ?? Buffer.alloc(0));
      const id = named.get(data.submission);
      if (id !== undefined) found.set(id, 'reason' in data ? `${outcome} ${data.reason}` : outcome);
    }
    return found.size === ids.length ? ids.map((id) => found.get(id) ?? '') : undefined;
  }).catch((cause: unknown) => {
    throw new Error(cluster.said(), { cause });
  });
}

async function started(of: Deployment): Promise<ReadonlyMap<ServiceName, ServiceProcess>> {
  const services = new Map<ServiceName, ServiceProcess>();
  for (const name of SERVICES) services.set(name, await of.start(name));
  return services;
}

/** Expects every service to be the process that was started, and ready. */
async function demandUp(services: ReadonlyMap<ServiceName, ServiceProcess>): Promise<void> {
  for (const service of services.values()) await service.ready();
}

async function notesWithLone({ log }: Deployment): Promise<LogEntry> {
  for await (const record of log.read(TOPICS.policy, {
    until: 'end',
    signal: AbortSignal.timeout(300_000),
  })) {
    const document = readPolicyRecord(record)?.document;
    if (document !== undefined)
      return entry(
        TOPICS.policy,
        'policy.published.v1',
        JSON.stringify({ ...document, version: 2, notes: ['n\ud800'] }),
      );
  }
  throw new Error('Expected the first policy.');
}

async function consentAtIntake(intake: ServiceProcess | undefined, data: string): Promise<number> {
  const body = `{"specversion":"1.0","id":"${randomUUID()}","source":"urn:test","type":"consent.granted.v1","data":${data}}`;
  return (
    await fetch(`${intake?.url}/events`, {
      method: 'POST',
      headers: { 'content-type': 'application/cloudevents+json' },
      body,
    })
  ).status;
}

test('with a consent and a policy that cannot be encoded again in their topics, all services stay up, samples under them settle, and the next is stored', async () => {
  const cluster = (deployment = await Deployment.open(await sharedStack()));
  const services = await started(cluster);
  expect(await consentAtIntake(services.get('intake'), GRANT('consent-lone', LONE))).toBe(400);
  await cluster.log.append([
    granted('consent-lone', LONE),
    await notesWithLone(cluster),
    granted('consent-good'),
  ]);
  await cluster.log.append([sample('a', 'consent-lone'), sample('b', 'consent-good')]);
  expect(await outcomesOf(cluster, ['a', 'b'])).toEqual(['refused CONSENT_UNKNOWN', 'stored']);
  expect(await consentAtIntake(services.get('intake'), GRANT('consent-next'))).toBe(202);
  await cluster.log.append([sample('c', 'consent-next')]);
  expect(await outcomesOf(cluster, ['a', 'b', 'c'])).toEqual([
    'refused CONSENT_UNKNOWN',
    'stored',
    'stored',
  ]);
  await demandUp(services);
  const skipped = await (await fetch(`${services.get('consent-projector')?.url}/metrics`)).text();
  expect(skipped).toMatch(/^residency_projector_skipped_total 1$/m);
});

test('the same holds with a Redis into which an earlier release projected that consent', async () => {
  const cluster = (deployment = await Deployment.open(await sharedStack()));
  await cluster.log.append([granted('consent-lone', LONE), granted('consent-good')]);
  const {
    RESIDENCY_LOG: log,
    RESIDENCY_REDIS_KEY_PREFIX: prefix,
    RESIDENCY_REDIS_URL: redis = '',
  } = cluster.env;
  const state = (terms: string): string =>
    `{"v":1,"generation":"earlier","history":[{"from":1,"purposes":["threat-sample-sharing"],"termsVersion":${terms}}]}`;
  const projected = {
    [`{${prefix}}:position`]: JSON.stringify({
      v: 1,
      log,
      generation: 'earlier',
      next: '2',
      watermark: Date.now(),
      halted: false,
    }),
    [`{${prefix}}:consent:consent-lone`]: state(LONE),
    [`{${prefix}}:consent:consent-good`]: state('"1"'),
  };
  // Redis's inline commands quote strings like JSON.
  for (const [key, value] of Object.entries(projected))
    await resp(redis, `SET ${key} ${JSON.stringify(value)}`);
  const services = await started(cluster);
  await cluster.log.append([sample('a', 'consent-lone'), sample('b', 'consent-good')]);
  expect(await outcomesOf(cluster, ['a', 'b'])).toEqual(['refused CONSENT_UNKNOWN', 'stored']);
  await demandUp(services);
});
