import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isViolation } from '../src/known-differences.ts';
import { decodeState } from '../src/saved-state.ts';
import { SitePass } from '../src/site-pass.ts';
import { FakeClock } from './fake-clock.ts';
import { keyOf } from './memory-system.ts';
import type { MemorySystem, SITES } from './memory-system.ts';
import { linesOf, passes, systemOf } from './passes.ts';
import { Disk, ReconcilerProcess } from './reconciler-process.ts';

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
      system.sites.get(site)?.set(keyOf(name), {
        ...object,
        bytes: Buffer.from(object.bytes.toString().replace('key-1', 'key-2')),
      });
  }

  it('rereads nothing that was saved, reports nothing twice that was saved, and finds the same as one run', async () => {
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
          const logged: string[] = [];
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
            logged.push(...linesOf(process, 'error'));
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
          logged.push(...linesOf(last, 'error'));
          for (const [violation, count] of all)
            expect(logged.filter((one) => one === violation).length).toBeGreaterThanOrEqual(count);
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
  });

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
