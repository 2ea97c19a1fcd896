import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fsck } from '@residency/auditing';
import { TOPICS, encodeAuditEvent } from '@residency/contracts';
import { openSignerKey } from '@residency/ledger';
import { eventually, someAuditEvent } from '@residency/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Deployment } from '../../running-deployment/deployment.ts';
import type { ServiceProcess } from '../../running-deployment/service-process.ts';
import { sharedStack } from '../../stack/index.ts';
import { SeededRandom } from '../../proofs/seeded-random.ts';

const KEY_OF_0 = 'key-1';
let deployment: Deployment;
let appended = 0;

beforeAll(async () => {
  deployment = await Deployment.open(await sharedStack(), {
    env: { RESIDENCY_LEDGER_INTERVAL_MS: '100' },
  });
});
afterAll(() => deployment.close());

/** Appends valid events to partition 0, as a router would settle them. */
async function append(count: number): Promise<void> {
  const events = Array.from({ length: count }, (_, at) => someAuditEvent(appended + at));
  const log = deployment.log.name;
  await deployment.log.append(
    events.map((event) => ({
      topic: TOPICS.audit,
      record: {
        key: Buffer.from(KEY_OF_0),
        headers: [],
        value: encodeAuditEvent({ ...event, position: { ...event.position, log } }),
      },
    })),
  );
  appended += count;
}

function reading({ url }: ServiceProcess): (path: string) => Promise<Buffer | undefined> {
  return async (path) => {
    const answer = await fetch(`${url}/ledger/0/${path}`);
    return answer.status === 200 ? Buffer.from(await answer.arrayBuffer()) : undefined;
  };
}

async function sizeAt(auditor: ServiceProcess): Promise<number> {
  const checkpoint = await reading(auditor)('checkpoint').catch(() => undefined);
  return Number(checkpoint?.toString().split('\n')[1] ?? 0);
}

test('auditors killed at seeded moments, and two at a time, leave one complete ledger', async () => {
  const random = new SeededRandom(5);
  const kept: Buffer[] = [];
  let largest = 0;
  for (let kill = 0; kill < 5; kill += 1) {
    await append(200 + random.below(600));
    const auditors = [
      await deployment.start('auditor'),
      ...(kill % 2 === 0 ? [] : [await deployment.start('auditor')]),
    ];
    const [auditor = expect.fail()] = auditors;
    // Half of the kills come during growth, half while there is nothing to do.
    if (random.chance(0.5))
      await eventually(async () => ((await sizeAt(auditor)) > largest ? true : undefined));
    await new Promise((resolve) => {
      setTimeout(resolve, random.below(400));
    });
    const checkpoint = await reading(auditor)('checkpoint');
    if (checkpoint !== undefined) kept.push(checkpoint);
    const size = await sizeAt(auditor);
    expect(size).toBeGreaterThanOrEqual(largest);
    largest = size;
    for (const one of auditors) expect(await one.stop('SIGKILL')).toBe('SIGKILL');
  }
  const last = await deployment.start('auditor');
  await eventually(async () => ((await sizeAt(last)) === appended ? true : undefined));
  const { key } = await openSignerKey(
    (await readFile(join(deployment.folder, 'ledger-key'), 'utf8')).trim(),
    `residency-router/${deployment.log.name}/0`,
  );
  expect(kept.length).toBeGreaterThan(0);
  for (const since of kept) {
    const report = await fsck(reading(last), { trust: { keys: [key] }, since });
    expect([report.fault, report.entryFaults.list, report.checkpoint?.size]).toEqual([
      undefined,
      [],
      appended,
    ]);
  }
  expect(await last.stop()).toBe(0);
});
