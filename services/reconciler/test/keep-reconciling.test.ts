import { CodedError } from '@residency/coded-error';
import { describe, expect, it } from 'vitest';
import { FakeClock } from './fake-clock.ts';
import { SITES, keyOf } from './memory-system.ts';
import type { MemorySystem } from './memory-system.ts';
import { systemOf, passes, linesOf } from './passes.ts';
import { Disk, ReconcilerProcess } from './reconciler-process.ts';

describe('pass after pass', () => {
  it('finds nothing in an intact system, and exposes since when each site is checked', async () => {
    const clock = new FakeClock();
    const since = clock.now();
    const process = await passes(systemOf(9), 3, { pauseMs: 5_000 }, new Disk(), clock);
    expect(
      process.passes.map(({ sites, byCode }) => [
        sites.map(({ site, began }) => `${site} ${began - since}`),
        byCode,
      ]),
    ).toEqual([0, 5_000, 10_000].map((began) => [SITES.map((site) => `${site} ${began}`), {}]));
    expect([process.checked, process.lines, process.open]).toEqual([3 * 15, [], []]);
  });

  it("reports an object in another region's site once, with a log line, and as open until it is gone", async () => {
    const [system, disk, clock] = [systemOf(9), new Disk(), new FakeClock()];
    system.copy('s0', 'zrh-1', 'mow-1');
    const found = await passes(system, 3, {}, disk, clock);
    expect([found.violated, found.open, linesOf(found, 'error'), linesOf(found, 'warn')]).toEqual([
      ['WRONG_REGION'],
      [{ site: 'mow-1', code: 'WRONG_REGION', count: 1 }],
      ['WRONG_REGION mow-1'],
      [],
    ]);
    expect(found.lines[0]?.fields).toMatchObject({
      position: 'log-1/threat.samples/0/0',
      submission: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
    expect(found.passes.map(({ byCode }) => byCode)).toEqual(
      Array.from({ length: 3 }, () => ({ WRONG_REGION: 1 })),
    );
    const restarted = await passes(system, 1, {}, disk, clock);
    expect([restarted.violated, restarted.lines, restarted.open]).toEqual([[], [], found.open]);
    system.remove('s0', 'mow-1');
    const gone = await passes(system, 1, {}, disk, clock);
    expect([gone.violated, gone.open, linesOf(gone, 'info')]).toEqual([
      [],
      [],
      ['WRONG_REGION mow-1'],
    ]);
    system.copy('s0', 'zrh-1', 'mow-1');
    expect((await passes(system, 1, {}, disk, clock)).violated).toEqual(['WRONG_REGION']);
  });

  it('reports no copy that a site owes, before it is paid or after, and one that was paid and is gone', async () => {
    const [system, disk, clock] = [systemOf(9), new Disk(), new FakeClock()];
    const position = system.store('owed', 'zurich', 0, ['zrh-2']);
    expect((await passes(system, 1, {}, disk, clock)).lines).toEqual([]);
    system.pay('owed', position, 'zrh-2');
    expect((await passes(system, 1, {}, disk, clock)).lines).toEqual([]);
    system.remove('owed', 'zrh-2');
    const found = await passes(system, 1, {}, disk, clock);
    expect([linesOf(found, 'warn'), found.passes.map(({ byCode }) => byCode)]).toEqual([
      ['OBJECT_MISSING zrh-2'],
      [{ OBJECT_MISSING: 1 }],
    ]);
    expect((await passes(system, 1, {}, disk, clock)).lines).toEqual([]);
  });

  it('compares the other sites while one is out of service, waits for nothing, and compares it when it is in', async () => {
    const [system, disk, clock] = [systemOf(9), new Disk(), new FakeClock()];
    system.out.add('zrh-2');
    system.away.add('zrh-2');
    system.remove('s0', 'zrh-2');
    const others = await passes(system, 2, {}, disk, clock);
    expect([others.lines, [...others.waits]]).toEqual([[], []]);
    expect(others.passes.map(({ sites }) => sites.map(({ site }) => site))).toEqual([
      ['zrh-1', 'mow-1'],
      ['zrh-1', 'mow-1'],
    ]);
    system.out.delete('zrh-2');
    system.away.delete('zrh-2');
    const all = await passes(system, 1, {}, disk, clock);
    expect(linesOf(all, 'warn')).toEqual(['OBJECT_MISSING zrh-2']);
  });

  it('says at the end of each run which sites a repair would mend', async () => {
    const system = systemOf(9);
    expect((await passes(system, 1)).repairable).toEqual([]);
    system.remove('s1', 'zrh-2');
    const [disk, clock] = [new Disk(), new FakeClock()];
    for (let starts = 0; starts < 2; starts += 1)
      expect((await passes(system, 1, {}, disk, clock)).repairable).toEqual(['zrh-2']);
  });

  it('says in each run how many samples are past their time, and with auto orders their erasure once', async () => {
    const system = systemOf(9);
    system.keepDays = 30;
    const clock = new FakeClock();
    const proposed = await passes(system, 2, {}, new Disk(), clock);
    expect([...proposed.overdue]).toEqual([['zurich', 6]]);
    expect(proposed.lines).toEqual([
      expect.objectContaining({ level: 'warn', fields: { region: 'zurich', records: 6 } }),
    ]);
    expect(system.erasures().orders).toEqual([]);
    const ordered = await passes(system, 2, { retention: 'auto' }, new Disk(), clock);
    expect([...ordered.overdue]).toEqual([['zurich', 6]]);
    expect(ordered.lines).toEqual([]);
    expect(system.erasures().orders).toEqual([
      expect.objectContaining({ reason: 'kept for 30 days', consents: [] }),
    ]);
    expect(system.erasures().orders[0]?.submissions).toHaveLength(6);
  });

  it('ends its passes also if no erasure can be ordered, and orders it in a later one', async () => {
    const system = systemOf(9);
    system.keepDays = 30;
    system.appendFails = new CodedError({
      code: 'KAFKA_UNREACHABLE',
      message: '',
      remedy: 'retry',
    });
    const clock = new FakeClock();
    const process = new ReconcilerProcess(system, new Disk(), clock, { retention: 'auto' });
    await process.passedTimes(2);
    expect(process.failed).toBeGreaterThan(0);
    system.appendFails = undefined;
    await process.passedTimes(4);
    process.stop();
    await process.ended;
    expect(system.erasures().orders).toHaveLength(1);
  });

  it('reports what a custody log says wrongly once, and as an open difference of each pass', async () => {
    const [system, disk, clock] = [systemOf(9), new Disk(), new FakeClock()];
    const position = system.store('twice', 'zurich', 0);
    system.pay('twice', position, 'zrh-2');
    const found = await passes(system, 2, {}, disk, clock);
    expect([linesOf(found, 'warn'), found.passes.map(({ byCode }) => byCode)]).toEqual([
      ['COPIED_TWICE zrh-2'],
      [{ COPIED_TWICE: 1 }, { COPIED_TWICE: 1 }],
    ]);
  });

  it('reports it before it reads the first object, and finds one that appears while it reads', async () => {
    const [system, order]: [MemorySystem, string[]] = [systemOf(60), []];
    system.copy('s0', 'zrh-1', 'mow-1');
    let reads = 0;
    const process = new ReconcilerProcess(system, new Disk(), new FakeClock(), {
      resurveyMs: 0,
      pauseMs: 3_600_000,
    });
    system.onRead = (site, key) => {
      if (site === 'mow-1' && key === keyOf('s0')) return;
      reads += 1;
      if (reads === 1) order.push(`read ${process.violated.length}`);
      if (reads === 30) system.copy('s1', 'zrh-1', 'mow-1');
    };
    await process.passedTimes(1);
    expect([order, process.violated, process.passes.length]).toEqual([
      ['read 1'],
      ['WRONG_REGION', 'WRONG_REGION'],
      1,
    ]);
    process.stop();
    await process.ended;
  });

  it('limits its log lines, logs how many it suppressed, and never suppresses a violation because of other differences', async () => {
    const system = systemOf(1_500);
    for (let number = 0; number < 1_500; number += 1) system.remove(`s${number}`, 'zrh-1');
    system.sites.get('mow-1')?.set('note.txt', { bytes: Buffer.from('x') });
    const process = await passes(system, 1, { writes: () => false });
    expect([linesOf(process, 'error'), linesOf(process, 'warn').length]).toEqual([
      ['FOREIGN_OBJECT mow-1'],
      1_000,
    ]);
    for (let number = 0; number < 1_100; number += 1)
      system.sites.get('zrh-2')?.set(`note-${number}`, { bytes: Buffer.from('x') });
    const more = await passes(system, 1, { writes: () => false });
    expect(linesOf(more, 'error')).toHaveLength(1_000);
    expect(more.violated).toHaveLength(1_101);
    expect(more.lines.at(-1)).toEqual({
      level: 'warn',
      message: 'There were more differences than lines.',
      fields: { records: 101 },
    });
  });

  it('repeats a run that ended early, with a back-off, and reports what it waits for', async () => {
    const [system, clock] = [systemOf(9), new FakeClock()];
    system.logAway = true;
    const process = new ReconcilerProcess(system, new Disk(), clock);
    while (process.failed < 5)
      await new Promise((resolve) => {
        setImmediate(resolve);
      });
    expect([[...process.waits.keys()], process.passes]).toEqual([['log'], []]);
    system.logAway = false;
    await process.passedTimes(1);
    expect([...process.waits.keys()]).toEqual([]);
    process.stop();
    await process.ended;
  });
});

describe('a log that was unreachable between two passes', () => {
  it('is waited for until the next examination of the sites, not until the next pass', async () => {
    const [system, clock] = [systemOf(9), new FakeClock()];
    const process = new ReconcilerProcess(system, new Disk(), clock, {
      pauseMs: 24 * 60 * 60 * 1_000,
    });
    const turn = async (): Promise<void> => {
      await new Promise((resolve) => {
        setImmediate(resolve);
      });
    };
    await process.passedTimes(1);
    system.logAway = true;
    while (process.failed < 1 && process.passes.length < 2) await turn();
    expect([...process.waits.keys()]).toEqual(['log']);
    system.logAway = false;
    while (process.waits.size > 0 && process.passes.length < 2) await turn();
    expect([[...process.waits.keys()], clock.monotonic() < 60 * 60 * 1_000]).toEqual([[], true]);
    process.stop();
    await process.ended;
  });
});

describe('an unreachable site', () => {
  it('delays no other, is reported, and is resumed where it was', async () => {
    const [system, clock] = [systemOf(90), new FakeClock()];
    const process = new ReconcilerProcess(system, new Disk(), clock, { pauseMs: 10_000 });
    const reads: string[] = [];
    system.onRead = (site, key) => {
      reads.push(`${site} ${key}`);
      if (reads.filter((read) => read.startsWith('zrh-1')).length === 20) system.away.add('zrh-1');
    };
    await process.passedTimes(3);
    expect(process.passes.map(({ sites }) => sites.map(({ site }) => site))).toEqual(
      Array.from({ length: 3 }, () => ['zrh-2', 'mow-1']),
    );
    expect([...process.waits.keys()]).toEqual(['zrh-1']);
    const before = process.state?.save().sites['zrh-1'];
    expect([before?.checkedSince, (before?.pass?.checked ?? 0) > 0]).toEqual([undefined, true]);
    reads.length = 0;
    system.onRead = (site, key) => {
      reads.push(`${site} ${key}`);
    };
    system.away.clear();
    while (!process.passes.some(({ sites }) => sites.some(({ site }) => site === 'zrh-1')))
      await process.passedTimes(process.passes.length + 1);
    expect([...process.waits.keys()]).toEqual([]);
    expect(reads.filter((read) => read.startsWith('zrh-1'))).toHaveLength(
      60 - (before?.pass?.checked ?? 0),
    );
    process.stop();
    await process.ended;
  });

  it('keeps its known violations open', async () => {
    const [system, disk, clock] = [systemOf(9), new Disk(), new FakeClock()];
    system.copy('s0', 'zrh-1', 'mow-1');
    await passes(system, 1, {}, disk, clock);
    system.away.add('mow-1');
    expect((await passes(system, 2, {}, disk, clock)).open).toEqual([
      { site: 'mow-1', code: 'WRONG_REGION', count: 1 },
    ]);
  });
});
