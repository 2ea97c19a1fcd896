import { CodedError } from '@residency/coded-error';
import { eventually } from '@residency/testkit';
import { describe, expect, it } from 'vitest';
import type { ConsentProjection } from '../src/ports/consent-projection.ts';
import { MemoryConsentLog } from './memory-consent-log.ts';
import { MemoryProjection } from './memory-projection.ts';
import { caughtUp, run } from './running.ts';

const granted = (consentId: string, termsVersion = '1') =>
  ({ kind: 'granted', consentId, purposes: ['threat-sample-sharing'], termsVersion }) as const;
const withdrawn = (consentId: string) => ({ kind: 'withdrawn', consentId }) as const;
const unreachable = () =>
  new CodedError({ code: 'REDIS_UNREACHABLE', message: 'down', remedy: 'retry' });

/** A log with `count` grants and ticks, ten milliseconds apart. */
function someLog(count: number): MemoryConsentLog {
  const log = new MemoryConsentLog();
  for (let index = 0; index < count; index += 1) {
    if (index % 3 === 2) log.tick(index * 10);
    else log.publish(granted(`consent-${1_000 + (index % 7)}`, String(index)), index * 10);
  }
  return log;
}

describe('the projector', () => {
  it('projects the log and follows it', async () => {
    const [log, projection] = [someLog(20), new MemoryProjection()];
    const running = run({ source: log, projection });
    await caughtUp(log, projection);
    log.publish(withdrawn('consent-1000'), 500);
    await caughtUp(log, projection);
    await running.stop();
    expect(projection.kept.histories).toEqual(log.histories());
    expect(projection.kept.position).toMatchObject({ next: 21n, watermark: 500, halted: false });
    expect(running.progress.at(-1)).toMatchObject({
      position: { next: 21n },
      records: 1,
      skipped: 0,
    });
    expect(running.said).toEqual([]);
  });

  it("continues from the projection's position", async () => {
    const [log, projection] = [someLog(20), new MemoryProjection()];
    const first = run({ source: log, projection });
    await caughtUp(log, projection);
    await first.stop();
    log.publish(granted('consent-1000', 'later'), 1_000);
    const second = run({ source: log, projection });
    await caughtUp(log, projection);
    await second.stop();
    expect(log.begun).toEqual([undefined, 20n]);
    expect(projection.kept.histories).toEqual(log.histories());
  });

  it('processes large batches in steps of five hundred records', async () => {
    const [log, projection] = [someLog(1_100), new MemoryProjection()];
    log.batchSize = () => 5_000;
    const running = run({ source: log, projection });
    await caughtUp(log, projection);
    await running.stop();
    expect(running.progress.map(({ records }) => records)).toEqual([500, 500, 100]);
    expect(projection.kept.histories).toEqual(log.histories());
  });

  it('reads no histories if there are only ticks', async () => {
    const [log, projection] = [someLog(3), new MemoryProjection()];
    let asked = 0;
    const counting: ConsentProjection = {
      position: () => projection.position(),
      apply: (step) => projection.apply(step),
      histories: (ids) => {
        asked += 1;
        return projection.histories(ids);
      },
    };
    const running = run({ source: log, projection: counting });
    await caughtUp(log, projection);
    for (let at = 100; at < 110; at += 1) log.tick(at);
    await caughtUp(log, projection);
    await running.stop();
    expect(asked).toBe(0);
    expect(projection.kept.position).toMatchObject({ watermark: 109 });
  });

  it('counts and names records that hold no consent event, each once, and continues behind them', async () => {
    const [log, projection] = [new MemoryConsentLog(), new MemoryProjection()];
    log.append({ key: Buffer.from('CANARY'), headers: [], value: Buffer.from('CANARY') }, 10);
    log.append({ key: Buffer.from('consent-0001/e'), headers: [], value: null }, 20);
    log.publish(granted('consent-0001'), 30);
    const running = run({ source: log, projection });
    await caughtUp(log, projection);
    projection.flush();
    log.tick(40);
    await caughtUp(log, projection);
    await running.stop();
    const warnings = running.said.filter(({ fields }) => fields?.position !== undefined);
    expect(warnings.map(({ fields }) => fields?.position)).toEqual([
      'log-1/threat.consents/0/0',
      'log-1/threat.consents/0/1',
    ]);
    expect(running.progress.at(-1)?.skipped).toBe(2);
    expect(
      JSON.stringify(running.said.map((one) => [one.message, String(one.fields?.error)])),
    ).not.toContain('CANARY');
    expect(projection.kept.histories).toEqual(log.histories());
  });

  it('starts again from the beginning, and logs it, if the projection was emptied', async () => {
    const [log, projection] = [someLog(20), new MemoryProjection()];
    const running = run({ source: log, projection });
    await caughtUp(log, projection);
    projection.flush();
    log.tick(1_000);
    await caughtUp(log, projection);
    await running.stop();
    expect(log.begun).toEqual([undefined, undefined]);
    expect(running.said).toMatchObject([
      { level: 'warn', message: expect.stringContaining('further back') },
    ]);
    expect(projection.kept.histories).toEqual(log.histories());
  });

  it('goes back to the position of an older copy', async () => {
    const [log, projection] = [someLog(20), new MemoryProjection()];
    const running = run({ source: log, projection });
    await caughtUp(log, projection);
    const older = projection.kept;
    log.publish(withdrawn('consent-1000'), 1_000);
    await caughtUp(log, projection);
    projection.kept = older;
    log.tick(1_010);
    await caughtUp(log, projection);
    await running.stop();
    expect(log.begun).toEqual([undefined, 20n]);
    expect(projection.kept.histories).toEqual(log.histories());
  });

  it('does not fold into histories that were replaced during the read, even if their position is the old one again', async () => {
    const [log, projection] = [someLog(20), new MemoryProjection()];
    const before = run({ source: log, projection });
    await caughtUp(log, projection);
    await before.stop();
    const whole = projection.kept;
    let asked = 0;
    const swapping: ConsentProjection = {
      position: () => projection.position(),
      apply: (step) => projection.apply(step),
      // Emptied and half rebuilt when it reads, and whole again when it applies.
      histories: async (ids) => {
        asked += 1;
        if (asked > 1) return await projection.histories(ids);
        projection.kept = {
          position: {
            ...whole.position,
            log: 'log-1',
            generation: 'g-9',
            next: 3n,
            watermark: 20,
            halted: false,
          },
          histories: log.histories(3n),
        };
        const read = await projection.histories(ids);
        projection.kept = whole;
        return read;
      },
    };
    log.publish(granted('consent-1000', 'new'), 900);
    const running = run({ source: log, projection: swapping });
    await caughtUp(log, projection);
    await running.stop();
    expect(asked).toBeGreaterThan(1);
    expect(projection.kept.histories).toEqual(log.histories());
  });

  it('shares the work with another projector without seeking for each step it loses', async () => {
    const [log, projection] = [someLog(400), new MemoryProjection()];
    log.batchSize = () => 1 + Math.floor(Math.random() * 9);
    const rivals = [
      run({ source: log, projection }),
      run({ source: log, projection }),
      run({ source: log, projection }),
    ];
    await caughtUp(log, projection);
    await Promise.all(
      rivals.map(async (rival) => {
        await rival.stop();
      }),
    );
    expect(projection.kept.histories).toEqual(log.histories());
    expect(log.begun).toHaveLength(3);
    for (const { said } of rivals)
      expect(said.map(({ level }) => level).join()).toMatch(/^(?:info)?$/);
    expect(
      rivals.flatMap(({ progress }) => progress).reduce((sum, { records }) => sum + records, 0),
    ).toBeGreaterThanOrEqual(400);
  });

  it('ends when its signal is aborted, also during an outage', async () => {
    const failing: ConsentProjection = {
      position: async () => {
        throw unreachable();
      },
      histories: async () => {
        throw unreachable();
      },
      apply: async () => {
        throw unreachable();
      },
    };
    const running = run({
      source: new MemoryConsentLog(),
      projection: failing,
      backOff: { firstMs: 60_000, mostMs: 60_000 },
    });
    await eventually(async () => (running.said.length > 0 ? true : undefined));
    await running.stop();
    expect(running.said[0]).toMatchObject({
      level: 'warn',
      fields: { error: { code: 'REDIS_UNREACHABLE' } },
    });
  });
});

describe('each write of the projector', () => {
  it.each([
    ['failed', false],
    ['failed but persisted', true],
  ])('is repeated if it %s', async (_, persists) => {
    const [log, projection] = [someLog(60), new MemoryProjection()];
    log.batchSize = () => 4;
    let calls = 0;
    const broken: ConsentProjection = {
      position: () => projection.position(),
      histories: (ids) => projection.histories(ids),
      apply: async (step) => {
        calls += 1;
        if (calls % 2 === 1) return await projection.apply(step);
        if (persists) await projection.apply(step);
        throw unreachable();
      },
    };
    const running = run({ source: log, projection: broken });
    await caughtUp(log, projection);
    await running.stop();
    expect(calls).toBeGreaterThan(10);
    expect(projection.kept.histories).toEqual(log.histories());
  });

  it('is repeated if every third read fails', async () => {
    const [log, projection] = [someLog(60), new MemoryProjection()];
    log.batchSize = () => 4;
    let calls = 0;
    const sometimes = <T>(work: () => Promise<T>): Promise<T> => {
      calls += 1;
      return calls % 3 === 0 ? Promise.reject(unreachable()) : work();
    };
    const broken: ConsentProjection = {
      position: () => sometimes(() => projection.position()),
      histories: (ids) => sometimes(() => projection.histories(ids)),
      apply: (step) => projection.apply(step),
    };
    const running = run({ source: log, projection: broken });
    await caughtUp(log, projection);
    await running.stop();
    expect(projection.kept.histories).toEqual(log.histories());
  });

  it("is the last if the projection's error has the remedy stop", async () => {
    const projection = new MemoryProjection();
    const foreign = async () => {
      throw new CodedError({ code: 'CONSENT_VIEW_FOREIGN', message: 'foreign', remedy: 'stop' });
    };
    const running = run({
      source: someLog(3),
      projection: { position: foreign, histories: foreign, apply: foreign },
    });
    await expect(running.ended).rejects.toMatchObject({ code: 'CONSENT_VIEW_FOREIGN' });
    expect(projection.kept.position).toBeUndefined();
  });
});

describe('a log that cannot be right', () => {
  it("stops the projector if the log ends before the projection's position", async () => {
    const projection = new MemoryProjection();
    projection.kept = {
      position: { log: 'log-1', generation: 'g', next: 21n, watermark: 10, halted: false },
      histories: new Map(),
    };
    await expect(run({ source: someLog(20), projection }).ended).rejects.toMatchObject({
      code: 'CONSENT_LOG_SHORTER',
      remedy: 'stop',
    });
    expect(projection.kept.position?.next).toBe(21n);
  });

  it('stops the projector if the topic is not the projected one, however long it has grown', async () => {
    const [first, projection] = [someLog(20), new MemoryProjection()];
    first.id = 'first';
    const running = run({ source: first, projection });
    await caughtUp(first, projection);
    await running.stop();
    const second = someLog(60);
    second.id = 'second';
    const before = projection.kept.position;
    await expect(run({ source: second, projection }).ended).rejects.toMatchObject({
      code: 'CONSENT_LOG_REPLACED',
      remedy: 'stop',
      message: expect.stringMatching(/topic first, .* topic second/),
    });
    expect(projection.kept.position).toEqual(before);
    // As the runbook says.
    projection.kept = { position: undefined, histories: new Map() };
    const anew = run({ source: second, projection });
    await caughtUp(second, projection);
    expect(projection.kept.position).toMatchObject({ topicId: 'second' });
    await anew.stop();
  });

  it("stops the projector if the projection later moves beyond the log's end", async () => {
    const [log, projection] = [someLog(20), new MemoryProjection()];
    const running = run({ source: log, projection });
    await caughtUp(log, projection);
    projection.kept = {
      position: { log: 'log-1', generation: 'g', next: 999n, watermark: 10, halted: false },
      histories: new Map(),
    };
    log.tick(900);
    await expect(running.ended).rejects.toMatchObject({ code: 'CONSENT_LOG_SHORTER' });
  });

  it('halts the view and stops the projector if append time goes back beyond the margin, and resumes the view once append time has caught up', async () => {
    const [log, projection] = [new MemoryConsentLog(), new MemoryProjection()];
    log.publish(granted('consent-0001'), 100_000);
    log.publish(withdrawn('consent-0001'), 90_000);
    log.tick(90_100);
    await expect(run({ source: log, projection }).ended).rejects.toMatchObject({
      code: 'APPEND_TIME_WENT_BACK',
      remedy: 'stop',
      message: expect.stringMatching(
        /log-1\/threat\.consents\/0\/1 to be 10000 ms.*1970-01-01T00:01:40/,
      ),
    });
    expect(projection.kept.position).toMatchObject({ next: 2n, watermark: 100_000, halted: true });

    const again = run({ source: log, projection });
    await caughtUp(log, projection);
    expect(projection.kept.position).toMatchObject({ next: 3n, halted: true });
    expect(again.said).toMatchObject([{ level: 'error' }]);
    log.tick(99_000);
    await caughtUp(log, projection);
    await again.stop();
    expect(projection.kept.position).toMatchObject({ next: 4n, watermark: 100_000, halted: false });
    expect(projection.kept.histories).toEqual(log.histories());
  });

  it('may begin after the position, if records were compacted', async () => {
    const [log, projection] = [someLog(20), new MemoryProjection()];
    const expected = log.histories();
    // Compaction keeps consent events; ticks and their tombstones go.
    log.records = log.records.filter(({ key }) => key?.toString() !== 'tick');
    projection.kept = {
      position: { log: 'log-1', generation: 'g', next: 2n, watermark: 10, halted: false },
      histories: log.histories(2n),
    };
    const running = run({ source: log, projection });
    await eventually(async () => (projection.kept.position?.next === 20n ? true : undefined));
    await running.stop();
    expect(projection.kept.histories).toEqual(expected);
  });
});
