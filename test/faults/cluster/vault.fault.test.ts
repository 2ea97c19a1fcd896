import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  ACCESS_REFUSED,
  SAMPLE_ACCESSED,
  TOPICS,
  custodyEventIn,
  decodeAuditEvent,
  sha256,
} from '@residency/contracts';
import type { CustodyEvent } from '@residency/contracts';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Deployment } from '../../running-deployment/deployment.ts';
import type { ServiceProcess } from '../../running-deployment/service-process.ts';
import { sharedStack } from '../../stack/index.ts';
import { canary } from '../../proofs/canaries.ts';
import { ledgerAt, publishedEntries } from '../../proofs/vault/public-ledger.ts';
import { askVault, uuid7 } from '../../proofs/vault/vault-client.ts';
import type { Answer, Asked } from '../../proofs/vault/vault-client.ts';
import { TOPIC, makeVault } from '../../proofs/vault/vault-settings.ts';
import { Publisher } from './publisher.ts';

const TOKEN = randomBytes(24).toString('hex');
const REFERENCE = `ticket-${randomBytes(12).toString('hex')}`;
const SAMPLE = Buffer.from(`sample-${randomBytes(12).toString('hex')}`);

let deployment: Deployment;
let auditor: ServiceProcess;
let custodian: ServiceProcess;
let submission: string;
let verifierKey: string;
let vaultEnv: Readonly<Record<string, string>>;

beforeAll(async () => {
  deployment = await Deployment.open(await sharedStack(), {
    partitions: 1,
    env: { RESIDENCY_WATERMARK_MARGIN_MS: '100' },
  });
  ({ env: vaultEnv, verifierKey } = await makeVault(deployment, TOKEN));
  const publisher = new Publisher(deployment);
  const consent = await publisher.grant();
  const [, , first, second] = await Promise.all([
    deployment.start('consent-projector'),
    deployment.start('router'),
    deployment.start('auditor'),
    deployment.start('custodian', vaultEnv),
  ]);
  [auditor, custodian] = [first, second];
  await publisher.publish([{ country: 'CH', consent, becomes: 'stored zurich', bytes: SAMPLE }]);
  await publisher.settled();
  submission = await storedSubmission();
});

afterAll(async () => {
  await deployment.close();
});

async function storedSubmission(): Promise<string> {
  for await (const { value } of deployment.log.read(TOPICS.audit, { until: 'end' })) {
    const event = decodeAuditEvent(value ?? Buffer.alloc(0));
    if (event.outcome === 'stored') return event.data.submission;
  }
  throw new Error('nothing is stored');
}

function ask(
  url: string,
  method: string,
  path: string,
  { token = TOKEN, ...more }: Partial<Asked> = {},
): Promise<Answer> {
  return askVault(url, method, path, { token, ...more });
}

const asked = (more: object = {}): object => ({
  submission,
  purpose: 'analysis',
  reference: REFERENCE,
  form: 'raw',
  ...more,
});

/** Asks whichever custodian answers until one does. */
async function untilAnswered(
  urls: readonly string[],
  method: string,
  path: string,
  body?: object,
): Promise<Answer> {
  for (let turn = 0; ; turn += 1) {
    const answer = await ask(urls[turn % urls.length] ?? '', method, path, {
      ms: 40_000,
      ...(body === undefined ? {} : { body }),
    }).catch(() => undefined);
    if (answer !== undefined && answer.status < 500) return answer;
    if (turn > 600) throw new Error(`no answer: ${answer?.code}\n${deployment.said()}`);
    await sleep(250);
  }
}

async function custodyValues(): Promise<readonly Buffer[]> {
  const values: Buffer[] = [];
  for await (const { value } of deployment.log.read(TOPIC, { until: 'end' }))
    if (value !== null) values.push(value);
  return values;
}

async function accessEvents(): Promise<readonly CustodyEvent[]> {
  return (await custodyValues()).flatMap((value) => custodyEventIn(value) ?? []);
}

async function accessedOf(access: string): Promise<number> {
  return (await accessEvents()).filter(
    (event) => event.type === SAMPLE_ACCESSED && event.data.access === access,
  ).length;
}

/** The published entry that says that this access was given out. */
async function publicEntry(access: string): Promise<Buffer | undefined> {
  const ledger = ledgerAt(`${auditor.url}/ledger/${TOPIC}/0`, verifierKey);
  return (await publishedEntries(ledger)).find((entry) => {
    const event = custodyEventIn(entry);
    return event?.type === SAMPLE_ACCESSED && event.data.access === access;
  });
}

test('a sample is given out under an access that anybody can see and verify', async () => {
  const access = uuid7();
  expect(await ask(custodian.url, 'PUT', access, { body: asked() })).toMatchObject({ status: 201 });
  const given = await untilAnswered([custodian.url], 'GET', `${access}/sample`);
  expect(await publicEntry(access)).toBeDefined();
  expect(given).toEqual({ status: 200, body: SAMPLE });
  expect(await accessedOf(access)).toBe(1);
});

test('a search finds what is stored, and refuses the cursors of others', async () => {
  const search = async (more = ''): Promise<unknown> => {
    const response = await fetch(`${custodian.url}/v1/samples?purpose=analysis&limit=10${more}`, {
      headers: { authorization: `Bearer ${TOKEN}` },
    });
    return { status: response.status, ...((await response.json()) as object) };
  };
  const found = {
    submission,
    region: 'zurich',
    country: 'CH',
    bytes: SAMPLE.length,
    sampleSha256: sha256(SAMPLE),
    erased: false,
  };
  const before = (await custodyValues()).length;
  expect(await search()).toMatchObject({ status: 200, samples: [found] });
  expect(await search('&country=DE')).toEqual({ status: 200, samples: [] });
  const log = deployment.log.name;
  expect(await search(`&after=${log}/residency.audit/0/0`)).toMatchObject({ status: 200 });
  for (const after of [
    'another/residency.audit/0/0',
    `${log}/residency.audit/1/0`,
    `${log}/residency.audit/0/99999999`,
    `${log}/residency.audit/0/9223372036854775807`,
  ])
    expect(await search(`&after=${after}`)).toMatchObject({ status: 400, code: 'CURSOR_INVALID' });
  expect(await custodyValues()).toHaveLength(before);
});

test('without the auditor nothing is given out, and with it the same access goes on', async () => {
  await auditor.stop();
  const access = uuid7();
  expect(await ask(custodian.url, 'PUT', access, { body: asked() })).toMatchObject({ status: 201 });
  expect(await ask(custodian.url, 'GET', `${access}/sample`)).toMatchObject({
    status: 503,
    code: 'CHECKPOINT_PENDING',
  });
  auditor = await deployment.start('auditor');
  expect(await untilAnswered([custodian.url], 'GET', `${access}/sample`)).toEqual({
    status: 200,
    body: SAMPLE,
  });
  expect(await accessedOf(access)).toBe(1);
});

test('what is refused is refused once, without a byte of the sample', async () => {
  const access = uuid7();
  for (let time = 0; time < 2; time += 1)
    expect(
      await ask(custodian.url, 'PUT', access, { body: asked({ purpose: 'other' }) }),
    ).toMatchObject({ status: 403, code: 'PURPOSE_UNKNOWN' });
  expect(await ask(custodian.url, 'GET', `${access}/sample`)).toMatchObject({ status: 403 });
  const refused = (await accessEvents()).filter(
    (event) => event.type === ACCESS_REFUSED && event.data.access === access,
  );
  expect(refused).toHaveLength(1);
  for (const [token, status] of [
    ['x'.repeat(40), 401],
    ['', 401],
  ] as const)
    expect(await ask(custodian.url, 'PUT', uuid7(), { body: asked(), token })).toMatchObject({
      status,
    });
  expect(await ask(custodian.url, 'PUT', 'no-uuid', { body: asked() })).toMatchObject({
    status: 400,
    code: 'ACCESS_INVALID',
  });
  expect(
    await ask(custodian.url, 'PUT', uuid7(), { body: asked({ more: 'members' }) }),
  ).toMatchObject({ status: 400 });
});

test('a frozen custodian that wakes after another took over gives nothing out by itself; the access is one', async () => {
  const access = uuid7();
  expect(await ask(custodian.url, 'PUT', access, { body: asked() })).toMatchObject({ status: 201 });
  custodian.signal('SIGSTOP');
  const second = await deployment.launch('custodian', vaultEnv);
  const given = await untilAnswered([second.url], 'GET', `${access}/sample`);
  expect(given).toEqual({ status: 200, body: SAMPLE });
  custodian.signal('SIGCONT');
  const woken = await ask(custodian.url, 'GET', `${access}/sample`);
  expect(woken.status).toBe(503);
  expect(woken.body.includes(SAMPLE)).toBe(false);
  expect(await accessedOf(access)).toBe(1);
  expect(await custodian.stop()).toBe(0);
  custodian = second;
});

test('no token, reference or sample is in an event, a log line or a metric', async () => {
  const metrics = await (await fetch(`${custodian.url}/metrics`)).text();
  expect(metrics).toMatch(/residency_accesses_total\{region="zurich",result="released"/);
  const places = [
    ['events', Buffer.concat([...(await custodyValues())])],
    ['log lines', Buffer.from(deployment.said(Infinity))],
    ['metrics', Buffer.from(metrics)],
  ] as const;
  for (const [name, text] of [
    ['token', TOKEN],
    ['reference', REFERENCE],
    ['sample', SAMPLE.toString()],
  ] as const)
    for (const [place, bytes] of places)
      for (const spelling of canary(name, text).spellings)
        expect(bytes.includes(spelling), `${name} in ${place}`).toBe(false);
});
