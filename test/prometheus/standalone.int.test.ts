import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { inTemporaryFolder, start } from '../e2e/residency.ts';
import { PrometheusServer } from '../stack/prometheus-server.ts';
import { standalone } from './deployed.ts';
import { namedIn } from './promql.ts';

/** Metrics that exist only while something is wrong. */
const ABSENT_WHEN_WELL = [
  'residency_waiting',
  'residency_routing_blocked_offset',
  'residency_ledger_blocked',
  // Only with a vault.
  'residency_accesses_total',
];

test('in a real Prometheus over a real process no alert is pending while all is well, and one is once a site is unreachable', async () => {
  await inTemporaryFolder(async (folder) => {
    const running = await start(folder, '--checkpoints', 'checkpoints');
    onTestFinished(() => {
      running.child.kill('SIGKILL');
    });
    const prometheus = await PrometheusServer.open(
      { standalone: [new URL(running.url).host] },
      1,
      'standalone',
    );
    onTestFinished(() => prometheus.close());

    const settled = 'sum(residency_submissions_total)';
    await expect.poll(async () => (await prometheus.query(settled))[0] ?? 0).toBeGreaterThan(10);
    await expect
      .poll(async () => (await prometheus.rules()).every(({ health }) => health === 'ok'))
      .toBe(true);
    // Rules are also evaluated before the first scrape.
    await expect.poll(() => prometheus.alerts()).toEqual([]);
    for (let evaluations = 0; evaluations < 5; evaluations += 1) {
      await sleep(1_000);
      expect(await prometheus.alerts()).toEqual([]);
    }

    const asked = new Set(
      standalone.alerts
        .flatMap(({ expr }) => namedIn(expr).metrics.map(({ name }) => name))
        .filter((name) => !name.includes(':')),
    );
    const unseen: string[] = [];
    for (const name of asked) if ((await prometheus.query(name)).length === 0) unseen.push(name);
    expect(unseen.filter((name) => !ABSENT_WHEN_WELL.includes(name))).toEqual([]);

    const site = join(folder, '.residency', 'sites', 'zrh-1');
    await rename(site, `${site}-aside`);
    const sample = {
      'content-type': 'text/plain',
      'ce-specversion': '1.0',
      'ce-id': 'after',
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
    await fetch(`${running.url}/events`, {
      method: 'POST',
      headers: { 'content-type': 'application/cloudevents+json' },
      body: JSON.stringify(consent),
    });
    expect(
      (
        await fetch(`${running.url}/events`, {
          method: 'POST',
          headers: sample,
          body: 'harmless',
        })
      ).status,
    ).toBe(202);
    const pendingAlerts = async (): Promise<unknown> =>
      (await prometheus.alerts()).map(({ labels: { alertname, code } }) => ({ alertname, code }));
    await expect
      .poll(pendingAlerts)
      .toContainEqual({ alertname: 'ResidencySiteUnwritable', code: 'SITE_UNREACHABLE' });
    await rename(`${site}-aside`, site);
    await expect.poll(pendingAlerts).toEqual([]);
    expect(await running.stop()).toBe(0);
  });
});
