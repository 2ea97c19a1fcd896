import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createLogger, createMetrics } from '@residency/telemetry';
import { afterEach, expect, it } from 'vitest';
import { startStandalone } from '../src/index.ts';
import type { Standalone, StandaloneOptions } from '../src/index.ts';
import { temporaryFolder } from './temporary-folder.ts';

const logger = createLogger({ level: 'silent' });
const running: Standalone[] = [];
afterEach(async () => {
  await Promise.all(running.splice(0).map((one) => one.stop()));
});

async function started(options: Partial<StandaloneOptions> = {}): Promise<Standalone> {
  const standalone = await startStandalone({
    data: join(await temporaryFolder(), 'data'),
    host: '127.0.0.1',
    port: 0,
    examples: false,
    retainMs: 7 * 86_400_000,
    logger,
    metrics: createMetrics({ service: 'standalone', version: 'test', now: Date.now }),
    ...options,
  });
  running.push(standalone);
  return standalone;
}

it('routes the examples once, as they expect', async () => {
  const standalone = await started({ examples: true });
  const told = (await standalone.firstRun()).map(({ expected, event: { outcome, data } }) => {
    const place = 'reason' in data ? data.reason : data.decision.region;
    return [expected, `${outcome} ${place}`];
  });
  expect(told.length).toBeGreaterThanOrEqual(12);
  for (const [expected, found] of told) expect(found).toBe(expected);
  expect(await standalone.firstRun()).toEqual([]);
});

it('accepts a submission over HTTP, routes it and returns its outcome to the publisher', async () => {
  const { url } = await started();
  const headers = {
    'content-type': 'text/plain',
    'ce-specversion': '1.0',
    'ce-id': '1',
    'ce-source': 'urn:test',
    'ce-type': 'threat.sample.submitted.v1',
    'ce-usercountry': 'CH',
    'ce-consentid': 'consent-0001',
    'ce-verdict': 'suspicious',
  };
  const consent = {
    specversion: '1.0',
    id: 'g1',
    source: 'urn:test',
    type: 'consent.granted.v1',
    data: { consentId: 'consent-0001', purposes: ['threat-sample-sharing'], termsVersion: '1' },
  };
  expect(
    (
      await fetch(`${url}/events`, {
        method: 'POST',
        headers: { 'content-type': 'application/cloudevents+json' },
        body: JSON.stringify(consent),
      })
    ).status,
  ).toBe(202);
  const answer = await fetch(`${url}/events`, { method: 'POST', headers, body: 'harmless' });
  expect(answer.status).toBe(202);
  const {
    accepted: [first],
  } = (await answer.json()) as { accepted: { submission: string; position: string }[] };
  let status: { state: string; outcomes?: { outcome: string; region?: string }[] } = {
    state: 'pending',
  };
  for (let tries = 0; status.state === 'pending' && tries < 1_000; tries += 1) {
    await sleep(20);
    status = (await (
      await fetch(`${url}/submissions/${first?.submission}`)
    ).json()) as typeof status;
  }
  expect(status).toMatchObject({
    state: 'settled',
    outcomes: [{ outcome: 'stored', region: 'zurich', position: first?.position }],
  });
});

it('is ready while it makes progress, names what it waits for, and continues', async () => {
  const standalone = await started({ examples: true });
  const aside = `${standalone.data.sitePath('zrh-1')}-aside`;
  await rename(standalone.data.sitePath('zrh-1'), aside);
  const run = standalone.firstRun();
  let readiness = { ready: true, checks: [] as { name: string; detail?: string }[] };
  for (let tries = 0; readiness.ready && tries < 1_000; tries += 1) {
    await sleep(20);
    readiness = (await (await fetch(`${standalone.url}/readyz`)).json()) as typeof readiness;
  }
  expect(readiness.checks).toContainEqual(
    expect.objectContaining({
      name: 'routing',
      ok: false,
      detail: `waits: SITE_UNREACHABLE at ${standalone.data.log.name}/threat.samples/0/${String(await standalone.data.log.committed().then((settled) => (settled ?? -1n) + 1n))}`,
    }),
  );
  await rename(aside, standalone.data.sitePath('zrh-1'));
  expect(await run).not.toHaveLength(0);
  expect((await fetch(`${standalone.url}/readyz`)).status).toBe(200);
});

it('releases lock and port when it stops, and when it cannot start', async () => {
  const one = await started();
  const port = Number(new URL(one.url).port);
  const elsewhere = join(await temporaryFolder(), 'data');
  await expect(started({ data: elsewhere, port })).rejects.toMatchObject({ code: 'PORT_IN_USE' });
  await expect(started({ data: one.data.path })).rejects.toMatchObject({ code: 'ROUTING_LOCKED' });
  await expect(started({ data: elsewhere, host: '0.0.0.0' })).rejects.toMatchObject({
    code: 'TOKENS_REQUIRED',
  });
  await one.stop();
  const two = await started({ data: elsewhere, port });
  expect(new URL(two.url).port).toBe(String(port));
});
