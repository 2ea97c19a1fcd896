import { policyDigest } from '@residency/contracts';
import { expect, it } from 'vitest';
import { whatIf } from '../src/adjudicating/what-if.ts';
import { document, history, recordsOf, streamed } from './history.ts';

const version = (countries: Readonly<Record<string, readonly string[]>>) => {
  const proposed = document(9, 40_000, countries);
  return { document: proposed, digest: policyDigest(proposed) };
};

it('says by country how many stored samples a policy would place elsewhere, and of what size, and which it would place nowhere', async () => {
  const { events } = await history();
  const stored = events.flatMap(({ outcome, data }) => (outcome === 'stored' ? [data] : []));
  const count = (country: string, region: string) =>
    stored.filter((data) => data.country === country && data.decision.region === region);
  const {
    moves,
    moved,
    movedBytes,
    stored: total,
  } = await whatIf(
    streamed(recordsOf(events)),
    version({ zurich: ['CH'], moscow: ['DE'] }),
    40_000,
  );
  expect(total).toBe(stored.length);
  expect(moves).toEqual(
    [
      ['BR', 'moscow', null],
      ['BR', 'zurich', null],
      ['CH', 'moscow', 'zurich'],
      ['DE', 'zurich', 'moscow'],
    ].map(([country = '', from = '', to = null]) => {
      const samples = count(country ?? '', from ?? '');
      return {
        country,
        from,
        to,
        samples: samples.length,
        bytes: samples.reduce((sum, { sampleBytes }) => sum + sampleBytes, 0),
      };
    }),
  );
  expect([moved, movedBytes]).toEqual([
    moves.reduce((sum, { samples }) => sum + samples, 0),
    moves.reduce((sum, { bytes }) => sum + bytes, 0),
  ]);
  expect(moves.every(({ samples }) => samples > 0)).toBe(true);
});

it('finds nothing to move where the policy places everything as it stands', async () => {
  const { events } = await history();
  const { moves, stored } = await whatIf(
    streamed(recordsOf(events)),
    version({ zurich: ['CH', 'DE', 'BR'], moscow: ['RU'] }),
    40_000,
    { from: 20_000, to: 30_000 },
  );
  expect([moves, stored > 0]).toEqual([[], true]);
});
