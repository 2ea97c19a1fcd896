import { describe, expect, it } from 'vitest';
import { fold, readPage } from '../src/page.ts';
import { MemoryConsentLog } from './memory-consent-log.ts';

const position = (next: bigint, watermark: number, halted = false) => ({
  log: 'log-1',
  generation: 'g',
  next,
  watermark,
  halted,
});
const withdrawn = (consentId: string) => ({ kind: 'withdrawn', consentId }) as const;
const granted = (consentId: string) =>
  ({ kind: 'granted', consentId, purposes: ['threat-sample-sharing'], termsVersion: '1' }) as const;

/** A log of ticks with these append times. */
function ticks(...times: readonly number[]): MemoryConsentLog {
  const log = new MemoryConsentLog();
  for (const at of times) log.tick(at);
  return log;
}

describe('a page', () => {
  it('moves position and watermark for events, ticks and records without an event', () => {
    const log = ticks(10);
    log.publish(granted('consent-0001'), 20);
    log.append({ key: Buffer.from('k'), headers: [], value: Buffer.from('nonsense') }, 30);
    log.append({ key: Buffer.from('tick'), headers: [], value: null }, 40);
    const page = readPage(log.records, undefined, 1_000);
    expect(page?.to).toEqual({ next: 4n, watermark: 40, halted: false });
    expect(page?.changes).toEqual([{ offset: 1n, event: granted('consent-0001'), at: 20 }]);
    expect(page?.skipped.map(({ offset }) => offset)).toEqual([2n]);
  });

  it('skips records that were read before, and holes', () => {
    const { records } = ticks(10, 20, 30, 40, 50);
    const holes = records.filter(({ offset }) => offset !== 3n);
    expect(readPage(holes, position(2n, 20), 1_000)?.to).toEqual({
      next: 5n,
      watermark: 50,
      halted: false,
    });
    expect(readPage(holes, position(5n, 50), 1_000)).toBeUndefined();
    expect(readPage([], undefined, 1_000)).toBeUndefined();
  });

  it('lets append time go back by the margin, and its watermark never', () => {
    expect(readPage(ticks(5_000, 4_000, 4_500).records, undefined, 1_000)).toMatchObject({
      to: { next: 3n, watermark: 5_000, halted: false },
    });
  });

  it('ends and halts the view if append time goes back by more', () => {
    const page = readPage(ticks(5_000, 3_999, 6_000).records, undefined, 1_000);
    expect(page).toMatchObject({
      to: { next: 2n, watermark: 5_000, halted: true },
      wentBack: { offset: 1n, byMs: 1_001 },
    });
  });

  it('is halted until append time reaches the watermark again, and then continues', () => {
    const { records } = ticks(5_000, 3_000, 3_500, 4_000, 4_500);
    expect(readPage(records.slice(0, 3), position(2n, 5_000, true), 1_000)).toMatchObject({
      to: { next: 3n, watermark: 5_000, halted: true },
    });
    expect(
      readPage(records.slice(0, 3), position(2n, 5_000, true), 1_000)?.wentBack,
    ).toBeUndefined();
    expect(readPage(records, position(2n, 5_000, true), 1_000)).toMatchObject({
      to: { next: 5n, watermark: 5_000, halted: false },
    });
  });
});

describe('folding', () => {
  it('continues from known histories, applies several events of one consent in order, and omits empty histories', () => {
    const known = new Map([['consent-0001', [{ from: 1, purposes: ['p'], termsVersion: '0' }]]]);
    const changes = [
      { event: withdrawn('consent-0001'), at: 5 },
      { event: granted('consent-0001'), at: 7 },
      { event: withdrawn('consent-0002'), at: 8 },
    ];
    expect(fold(changes, known)).toEqual(
      new Map([
        [
          'consent-0001',
          [
            { from: 1, until: 5, purposes: ['p'], termsVersion: '0' },
            { from: 7, purposes: ['threat-sample-sharing'], termsVersion: '1' },
          ],
        ],
      ]),
    );
  });
});
