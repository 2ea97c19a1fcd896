import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { hasCode } from '@residency/coded-error';
import { gate } from '@residency/consent';
import type { ConsentEvent } from '@residency/consent';
import { readPolicy } from '@residency/contracts';
import { RoutingWorld, eventually } from '@residency/testkit';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { MemoryConsentLog } from './memory-consent-log.ts';
import { caughtUp, run } from './running.ts';
import { ownRedis, someRedis } from './some-redis.ts';
import type { SomeRedis } from './some-redis.ts';

const { document: policy } = readPolicy(
  readFileSync(new URL('../../../policy/residency-1.json', import.meta.url)),
);
const NOW = Date.UTC(2026, 0, 1);
const ID = 'consent-0001';
const granted = (consentId: string, termsVersion = '1') =>
  ({ kind: 'granted', consentId, purposes: ['threat-sample-sharing'], termsVersion }) as const;
const withdrawn = (consentId: string) => ({ kind: 'withdrawn', consentId }) as const;
const ids = (log: MemoryConsentLog): string[] => [...log.histories().keys()];

let some: SomeRedis;
beforeEach(async () => {
  some = await someRedis();
});
afterEach(async () => {
  await some.close();
});

/**
 * A grant, many others, and a withdrawal right before the end; sampled at `sampleAt`, when it was
 * over.
 */
function withdrawnLog(): { readonly log: MemoryConsentLog; readonly sampleAt: number } {
  const log = new MemoryConsentLog();
  log.batchSize = () => 3;
  log.publish(granted(ID), NOW);
  for (let index = 1; index <= 120; index += 1)
    log.publish(granted(`consent-${1_000 + index}`), NOW + index * 10);
  log.publish(withdrawn(ID), NOW + 2_000);
  return { log, sampleAt: NOW + 3_000 };
}

/**
 * What a router would say about a sample of `at`, as soon as the view reaches beyond it; asks
 * without a pause until `until` settles.
 */
async function decisions(sampleAt: number, until: Promise<unknown>): Promise<string[]> {
  const found = new Set<string>();
  const done = new AbortController();
  void until.finally(() => {
    done.abort();
  });
  while (!done.signal.aborted) {
    try {
      const { watermark, histories } = await some.view.read([ID]);
      const decision = gate(histories.get(ID) ?? [], sampleAt);
      found.add(watermark <= sampleAt ? 'waits' : decision.given ? 'given' : decision.reason);
    } catch (error) {
      found.add(hasCode(error, 'CONSENT_VIEW_EMPTY') ? 'waits' : String(error));
    }
  }
  return [...found].toSorted();
}

describe('a Redis that is emptied', () => {
  it('is rebuilt from the log, and a consent that was just withdrawn never counts as given meanwhile', async () => {
    const { log, sampleAt } = withdrawnLog();
    const running = run({ source: log, projection: some.projection });
    log.tick(sampleAt + 5_000);
    await caughtUp(log, some.projection);
    await some.flush();
    await expect(some.view.read([ID])).rejects.toMatchObject({ code: 'CONSENT_VIEW_EMPTY' });
    log.tick(sampleAt + 5_250);
    const rebuilt = caughtUp(log, some.projection);
    expect(await decisions(sampleAt, rebuilt)).toEqual(['CONSENT_WITHDRAWN', 'waits']);
    await running.stop();
    expect((await some.view.read(ids(log))).histories).toEqual(log.histories());
  });

  it('is complete in the end, even if it is emptied again and again during the rebuild', async () => {
    const { log, sampleAt } = withdrawnLog();
    const running = [
      run({ source: log, projection: some.projection }),
      run({ source: log, projection: some.projection }),
    ];
    const flushing = (async () => {
      for (let round = 0; round < 12; round += 1) {
        log.tick(sampleAt + 5_000 + round);
        await sleep(15);
        await some.flush();
      }
      log.tick(sampleAt + 6_000);
      await caughtUp(log, some.projection);
    })();
    expect(await decisions(sampleAt, flushing)).not.toContain('given');
    await Promise.all(
      running.map(async ({ stop }) => {
        await stop();
      }),
    );
    expect((await some.view.read(ids(log))).histories).toEqual(log.histories());
  });
});

describe('a Redis that turned into an older copy of itself', () => {
  it('makes routing wait until the projector has caught up, and decides by the log', async () => {
    const stack = await ownRedis();
    const own = await someRedis(stack.redis.url);
    const { log, sampleAt } = withdrawnLog();
    // Before the withdrawal, which is the last record.
    const last = log.records.slice(-1);
    log.records = log.records.slice(0, -1);
    const early = run({ source: log, projection: own.projection });
    await eventually(async () =>
      (await own.projection.position())?.next === last[0]?.offset ? true : undefined,
    );
    await early.stop();
    const older = await stack.servers.redis.copyData();
    log.records = [...log.records, ...last];
    log.tick(sampleAt + 5_000);
    const late = run({ source: log, projection: own.projection });
    await caughtUp(log, own.projection);
    await late.stop();

    const world = new RoutingWorld().policy(policy).submit(sampleAt, { consent: ID });
    const decided = async () => await world.route({ consents: own.view, watermarkMarginMs: 1_000 });
    expect((await decided()).settlements).toMatchObject([
      { event: { outcome: 'refused', data: { reason: 'CONSENT_WITHDRAWN' } } },
    ]);
    await stack.servers.redis.replaceData(older);
    // The older copy still says "given"; its watermark says that it does not know.
    const reading = await eventually(async () => await own.view.read([ID]).catch(() => undefined));
    expect(gate(reading.histories.get(ID) ?? [], sampleAt)).toMatchObject({ given: true });
    expect(await decided()).toMatchObject({
      settlements: [],
      blocked: { error: { code: 'VIEW_BEHIND' } },
    });

    const again = run({ source: log, projection: own.projection });
    await caughtUp(log, own.projection);
    expect((await decided()).settlements).toMatchObject([
      { event: { outcome: 'refused', data: { reason: 'CONSENT_WITHDRAWN' } } },
    ]);
    await again.stop();
    expect((await own.view.read(ids(log))).histories).toEqual(log.histories());
    await own.close();
  });

  it('is continued from its position, also in the middle of the work or after a kill', async () => {
    const stack = await ownRedis();
    const own = await someRedis(stack.redis.url);
    const { log, sampleAt } = withdrawnLog();
    const running = run({ source: log, projection: own.projection });
    await eventually(async () =>
      ((await own.projection.position())?.next ?? 0n) > 20n ? true : undefined,
    );
    const older = await stack.servers.redis.copyData();
    await stack.servers.redis.kill();
    for (let index = 0; index < 50; index += 1)
      log.publish(granted(`consent-${2_000 + index}`), sampleAt + index);
    await stack.servers.redis.start();
    await caughtUp(log, own.projection);
    await stack.servers.redis.replaceData(older);
    log.tick(sampleAt + 5_000);
    await caughtUp(log, own.projection);
    await running.stop();
    expect((await own.view.read(ids(log))).histories).toEqual(log.histories());
    await own.close();
  });
});

it('for any events, with a real Redis emptied and restored in between, two projectors leave the fold of the log', async () => {
  const consentId = fc.constantFrom('consent-0001', 'consent-0002', 'consent-0003');
  const event: fc.Arbitrary<ConsentEvent> = fc.oneof(
    consentId.map((id) => granted(id)),
    consentId.map((id) => withdrawn(id)),
  );
  const happening = fc.oneof(
    { weight: 5, arbitrary: event },
    {
      weight: 3,
      arbitrary: fc.constantFrom(
        'flush' as const,
        'copy' as const,
        'restore' as const,
        'wait' as const,
      ),
    },
  );
  await fc.assert(
    fc.asyncProperty(
      fc.array(happening, { maxLength: 40 }),
      fc.integer({ min: 1, max: 5 }),
      async (happenings, size) => {
        const own = await someRedis();
        const log = new MemoryConsentLog();
        log.batchSize = () => size;
        const running = [
          run({ source: log, projection: own.projection }),
          run({ source: log, projection: own.projection }),
        ];
        let copy = '[]';
        let at = NOW;
        for (const one of happenings) {
          if (one === 'flush') await own.flush();
          else if (one === 'copy') copy = await own.copy();
          else if (one === 'restore') await own.restore(copy === '{}' ? '[]' : copy);
          else if (one === 'wait') await sleep(3);
          else log.publish(one, (at += 10));
        }
        log.tick(at);
        await caughtUp(log, own.projection);
        await Promise.all(
          running.map(async ({ stop }) => {
            await stop();
          }),
        );
        const { position, histories } = await own.projection.histories([
          'consent-0001',
          'consent-0002',
          'consent-0003',
        ]);
        await own.close();
        expect(histories).toEqual(log.histories());
        expect(position).toMatchObject({ next: await log.end(), watermark: at, halted: false });
      },
    ),
    { numRuns: 40 },
  );
});
