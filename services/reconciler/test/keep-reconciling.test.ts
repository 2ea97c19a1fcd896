import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isViolation } from '../src/findings.ts';
import { decodeState } from '../src/saved-state.ts';
import { SitePass } from '../src/site-pass.ts';
import { FakeClock } from './fake-clock.ts';
import { MemorySystem, SITES, keyOf } from './memory-system.ts';
import { Disk, ReconcilerProcess } from './reconciler-process.ts';
import type { ProcessOptions } from './reconciler-process.ts';

/** So many objects, in both regions and partitions. */
function systemOf(objects: number): MemorySystem {
  const system = new MemorySystem();
  for (let number = 0; number < objects; number += 1)
    system.store(`s${number}`, number % 3 === 2 ? 'moscow' : 'zurich', number % 2);
  return system;
}

async function passes(
  system: MemorySystem,
  times = 1,
  options: ProcessOptions = {},
  disk = new Disk(),
  clock = new FakeClock(),
): Promise<ReconcilerProcess> {
  const process = new ReconcilerProcess(system, disk, clock, options);
  await process.passedTimes(times);
  process.stop();
  await process.ended;
  return process;
}

const linesOf = (process: ReconcilerProcess, level: string): readonly string[] =>
  process.lines
    .filter((line) => line.level === level)
    .map(({ fields }) => `${fields?.code} ${fields?.site}`);

describe('pass after pass', () => {
  it('finds nothing where nothing is wrong, and says since when the sites are known', async () => {
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

  it("tells of an object in another region's site once, with a line, until it is gone", async () => {
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

  it('tells of it before it reads the first object, and notices one that comes while it reads', async () => {
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

  it('writes no more lines than it may, says how many it did not write, and lets other differences crowd out no violation', async () => {
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

  it('begins anew what ended early, with a back-off, and says what it waits for', async () => {
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

describe('a log that was away between two passes', () => {
  it('is waited for until the next look, not until the next pass', async () => {
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

describe('a site that is away', () => {
  it('holds up no other, is said, and is gone on with where it was', async () => {
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

  it('keeps what is known to stand there open', async () => {
    const [system, disk, clock] = [systemOf(9), new Disk(), new FakeClock()];
    system.copy('s0', 'zrh-1', 'mow-1');
    await passes(system, 1, {}, disk, clock);
    system.away.add('mow-1');
    expect((await passes(system, 2, {}, disk, clock)).open).toEqual([
      { site: 'mow-1', code: 'WRONG_REGION', count: 1 },
    ]);
  });
});

describe('whenever it is killed', () => {
  const wrong = fc.record({
    name: fc.integer({ min: 0, max: 29 }),
    what: fc.constantFrom('lost', 'copied', 'altered', 'foreign'),
  });
  const death = fc.record({
    afterReads: fc.integer({ min: 0, max: 60 }),
    how: fc.constantFrom('kill', 'stop', 'away', 'log'),
  });

  function tamper(system: MemorySystem, name: string, what: string): void {
    const [site, other] =
      Number(name.slice(1)) % 3 === 2
        ? (['mow-1', 'zrh-2'] as const)
        : (['zrh-1', 'mow-1'] as const);
    if (what === 'lost') system.remove(name, site);
    if (what === 'copied') system.copy(name, site, other);
    if (what === 'foreign')
      system.sites.get(site)?.set(`note-${name}`, { bytes: Buffer.from('x') });
    const object = system.sites.get(site)?.get(keyOf(name));
    if (what === 'altered' && object !== undefined)
      system.sites
        .get(site)
        ?.set(keyOf(name), {
          ...object,
          bytes: Buffer.from(object.bytes.toString().replace('key-1', 'key-2')),
        });
  }

  it('reads nothing again that was kept, tells of nothing twice that was kept, and ends with what one run finds', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(wrong, { selector: ({ name }) => name, maxLength: 6 }),
        fc.array(death, { maxLength: 5 }),
        fc.infiniteStream(fc.boolean()),
        fc.constantFrom(0, 600_000),
        async (wrongs, deaths, coins, resurveyMs) => {
          const [system, disk, clock] = [systemOf(30), new Disk(), new FakeClock()];
          for (const { name, what } of wrongs) tamper(system, `s${name}`, what);
          const fresh = await passes(system, 1);
          const all = new Map(
            fresh.open.map(({ site, code, count }) => [`${code} ${site}`, count]),
          );
          const told: string[] = [];
          const lastRead = new Map<string, number>();
          const options = { writes: () => coins.next().value === true, pauseMs: 1_000, resurveyMs };
          for (const { afterReads, how } of deaths) {
            const process = new ReconcilerProcess(system, disk, clock, options);
            let left = afterReads;
            const reached = Promise.withResolvers<void>();
            const again: string[] = [];
            system.onRead = (site, key) => {
              lastRead.set(`${site} ${key}`, clock.now());
              if (process.passes.length === 0 && isKept(process, site, key))
                again.push(`${site} ${key}`);
              left -= 1;
              if (left < 0) reached.resolve();
            };
            await Promise.race([reached.promise, process.passedTimes(2)]);
            if (how === 'away') system.away.add('zrh-1');
            if (how === 'log') system.logAway = true;
            if (how === 'away' || how === 'log')
              await clock.sleep(500, new AbortController().signal);
            if (how === 'kill') process.kill();
            else process.stop();
            await process.ended;
            system.away.clear();
            system.logAway = false;
            expect(again).toEqual([]);
            told.push(...linesOf(process, 'error'));
            const known =
              process.saved?.findings.named.map(([, { code, site }]) => `${code} ${site}`) ?? [];
            for (const [violation, count] of all)
              expect(
                [...linesOf(process, 'error'), ...known].filter((one) => one === violation).length,
              ).toBeLessThanOrEqual(count);
            if (how !== 'kill' && disk.bytes !== undefined)
              expect(sum(process.open)).toBe(
                decodeState(disk.bytes).findings.named.filter(([, { code }]) => isViolation(code))
                  .length,
              );
          }
          system.onRead = (site, key) => {
            lastRead.set(`${site} ${key}`, clock.now());
          };
          const last = new ReconcilerProcess(system, disk, clock, options);
          await last.passedTimes(1);
          for (const { sites } of last.passes)
            for (const { site, began } of sites)
              for (const [key] of system.sites.get(site as (typeof SITES)[number]) ?? [])
                if (key.startsWith('samples/'))
                  expect(lastRead.get(`${site} ${key}`)).toBeGreaterThanOrEqual(began);
          await last.passedTimes(3);
          last.stop();
          await last.ended;
          told.push(...linesOf(last, 'error'));
          for (const [violation, count] of all)
            expect(told.filter((one) => one === violation).length).toBeGreaterThanOrEqual(count);
          const byName = (open: ReconcilerProcess['open']): readonly string[] =>
            open.map(({ site, code, count }) => `${site} ${code} ${count}`).toSorted();
          expect([last.passes.at(-1)?.byCode, byName(last.open)]).toEqual([
            fresh.passes[0]?.byCode,
            byName(fresh.open),
          ]);
        },
      ),
      { numRuns: 40 },
    );
  }, 240_000);

  /** Whether the state that the process began with says that the object was checked. */
  function isKept({ saved }: ReconcilerProcess, site: string, key: string): boolean {
    const pass = saved?.sites[site]?.pass;
    const number = Array.from({ length: 30 }, (_, n) => n).find((n) => keyOf(`s${n}`) === key);
    if (pass === undefined || number === undefined) return false;
    const isPlaced = (number % 3 === 2) === (site === 'mow-1');
    const offset = BigInt(Math.floor(number / 2));
    return isPlaced && new SitePass(pass).isChecked(`log-1/threat.samples/${number % 2}`, offset);
  }

  function sum(open: ReconcilerProcess['open']): number {
    return open.reduce((total, { count }) => total + count, 0);
  }
});
