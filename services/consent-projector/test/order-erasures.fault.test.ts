import { CodedError } from '@residency/coded-error';
import { readControlRecord } from '@residency/contracts';
import type { LogEntry, Withdrawal } from '@residency/contracts';
import { describe, expect, it } from 'vitest';
import { noticeEarlier } from '../src/earlier-withdrawals.ts';
import { orderErasures } from '../src/order-erasures.ts';
import type { OrderErasuresDeps } from '../src/order-erasures.ts';
import type { ConsentProjection } from '../src/ports/consent-projection.ts';
import { MemoryConsentLog } from './memory-consent-log.ts';
import { MemoryControlLog } from './memory-control-log.ts';
import { MemoryProjection } from './memory-projection.ts';
import { caughtUp, run } from './running.ts';
import type { Running } from './running.ts';

const granted = (consentId: string) =>
  ({ kind: 'granted', consentId, purposes: ['threat-sample-sharing'], termsVersion: '1' }) as const;
const withdrawn = (consentId: string) => ({ kind: 'withdrawn', consentId }) as const;
const failed = () =>
  new CodedError({ code: 'KAFKA_UNREACHABLE', message: 'down', remedy: 'retry' });

/** Two consents: one is withdrawn, granted again, and sampled on; the other withdrawn. */
function someLog(): MemoryConsentLog {
  const log = new MemoryConsentLog();
  log.publish(granted('consent-0001'), 10);
  log.publish(granted('consent-0002'), 20);
  log.publish(withdrawn('consent-0001'), 30);
  log.publish(granted('consent-0001'), 40);
  log.publish(withdrawn('consent-0002'), 50);
  log.tick(60);
  return log;
}
const ORDERED = ['consent-0001 30', 'consent-0002 50'];

interface World {
  readonly log: MemoryConsentLog;
  readonly projection: MemoryProjection;
  readonly control: MemoryControlLog;
}

function world(): World {
  return {
    log: someLog(),
    projection: new MemoryProjection(),
    control: new MemoryControlLog(),
  };
}

/** A projector that orders. `over` replaces ports of it. */
function erasing(
  { log, projection, control }: World,
  over: {
    readonly append?: OrderErasuresDeps['append'];
    readonly projection?: ConsentProjection;
  } = {},
): Running {
  const deps = { erasures: control.erasures, append: over.append ?? control.append };
  return run({
    source: log,
    projection: over.projection ?? projection,
    onWithdrawn: (withdrawals) => orderErasures(deps, withdrawals),
  });
}

async function readAll({ log, projection }: World, running: Running): Promise<void> {
  await caughtUp(log, projection);
  await running.stop();
}

describe('a projector that orders erasures', () => {
  it('orders for each withdrawal, up to it, so that a consent that is given again is kept', async () => {
    const w = world();
    await readAll(w, erasing(w));
    expect(await w.control.ordered()).toEqual(ORDERED);
    // Withdrawals of one step are in one order.
    expect(w.control.records).toHaveLength(1);
    expect(w.projection.kept.histories).toEqual(w.log.histories());
  });

  it('orders before its position moves past the withdrawal', async () => {
    const w = world();
    w.log.batchSize = () => 1;
    const seen: string[] = [];
    const { log, projection, control } = w;
    const running = run({
      source: log,
      projection,
      onWithdrawn: async (withdrawals) => {
        for (const { position } of withdrawals)
          seen.push(`${position} at ${String(projection.kept.position?.next)}`);
        await orderErasures(control, withdrawals);
      },
    });
    await readAll(w, running);
    expect(seen).toEqual(['log-1/threat.consents/0/2 at 2', 'log-1/threat.consents/0/4 at 4']);
  });

  it('orders nothing twice if the projection is emptied', async () => {
    const w = world();
    await readAll(w, erasing(w));
    w.projection.flush();
    w.log.batchSize = () => 2;
    await readAll(w, erasing(w));
    expect(w.control.records).toHaveLength(1);
    expect(w.projection.kept.histories).toEqual(w.log.histories());
  });

  it('orders at its start for what another projector passed over and kept', async () => {
    const w = world();
    await readAll(w, run({ source: w.log, projection: w.projection }));
    expect(w.control.records).toEqual([]);
    w.log.publish(withdrawn('consent-0003'), 70);
    const found: Withdrawal[] = [];
    const earlier = {
      source: w.log,
      projection: w.projection,
      signal: new AbortController().signal,
      onWithdrawn: async (withdrawals: readonly Withdrawal[]) => {
        found.push(...withdrawals);
        await orderErasures(w.control, withdrawals);
      },
    };
    await noticeEarlier(earlier);
    await noticeEarlier(earlier);
    expect(await w.control.ordered()).toEqual(ORDERED);
    expect(w.control.records).toHaveLength(1);
    // What the projection has not passed is not earlier.
    expect(found.map(({ consentId }) => consentId)).not.toContain('consent-0003');
    await readAll(w, erasing(w));
    expect(await w.control.ordered()).toEqual([...ORDERED, 'consent-0003 70']);
  });

  it('reads nothing at its start if nothing was projected', async () => {
    const { log, projection } = world();
    await noticeEarlier({
      source: log,
      projection,
      signal: new AbortController().signal,
      onWithdrawn: () => Promise.reject(failed()),
    });
    expect(log.begun).toEqual([]);
  });

  it('leaves one order for each withdrawal beside others that do the same', async () => {
    const w = world();
    w.log.batchSize = () => 1;
    const rivals = [erasing(w), erasing(w), erasing(w)];
    await Promise.all(rivals.map((rival) => readAll(w, rival)));
    expect(await w.control.ordered()).toEqual(ORDERED);
    // A key that is repeated would be a finding of the auditor.
    const keys = w.control.records.map(({ key }) => String(key));
    expect(new Set(keys).size).toBe(keys.length);
  });
});

describe('the append of an order', () => {
  it.each([
    ['failed', false],
    ['failed but persisted', true],
  ])('is repeated if it %s, and orders once', async (_, persists) => {
    const w = world();
    let calls = 0;
    const append = async (entries: readonly LogEntry[]): Promise<void> => {
      calls += 1;
      if (calls > 1 || persists) await w.control.append(entries);
      if (calls === 1) throw failed();
    };
    const running = erasing(w, { append });
    await readAll(w, running);
    expect(running.said).toMatchObject([
      { level: 'warn', fields: { error: { code: 'KAFKA_UNREACHABLE' } } },
    ]);
    expect(calls).toBe(persists ? 1 : 2);
    expect(w.control.records).toHaveLength(1);
    expect(await w.control.ordered()).toEqual(ORDERED);
  });

  it('keeps the position where it is while it fails, and ends the projector if a person is needed', async () => {
    const w = world();
    const { ended } = erasing(w, {
      append: () =>
        Promise.reject(
          new CodedError({ code: 'KAFKA_AUTHORIZATION', message: 'no right', remedy: 'stop' }),
        ),
    });
    await expect(ended).rejects.toMatchObject({ code: 'KAFKA_AUTHORIZATION' });
    expect(w.projection.kept.position).toBeUndefined();
  });
});

describe('a crash between the order and the position', () => {
  /** Ends like a process that is killed there. */
  async function crashed(w: World, isSeen: boolean): Promise<void> {
    const killed = new CodedError({ code: 'KILLED', message: 'killed', remedy: 'stop' });
    const projection: ConsentProjection = {
      position: () => w.projection.position(),
      histories: (ids) => w.projection.histories(ids),
      apply: () => Promise.reject(killed),
    };
    const { append, erasures } = w.control;
    const control = { append, erasures: isSeen ? erasures : () => Promise.resolve(undefined) };
    const { ended } = run({
      source: w.log,
      projection,
      onWithdrawn: (withdrawals) => orderErasures(control, withdrawals),
    });
    await expect(ended).rejects.toMatchObject({ code: 'KILLED' });
  }

  it('is repeated by the next projector, which finds the order', async () => {
    const w = world();
    await crashed(w, true);
    expect([w.projection.kept.position, await w.control.ordered()]).toEqual([undefined, ORDERED]);
    await readAll(w, erasing(w));
    expect(w.control.records).toHaveLength(1);
    expect(w.projection.kept.histories).toEqual(w.log.histories());
  });

  it('is repeated as the same act if the order is not seen, and changes nothing', async () => {
    const w = world();
    await crashed(w, true);
    await crashed(w, false);
    const acts = w.control.records.map((record) => {
      const { data } = readControlRecord(record);
      return 'act' in data ? data.act : undefined;
    });
    expect([acts.length, new Set(acts).size]).toEqual([2, 1]);
    expect(await w.control.orders()).toHaveLength(1);
    await readAll(w, erasing(w));
    expect(await w.control.ordered()).toEqual(ORDERED);
  });
});
