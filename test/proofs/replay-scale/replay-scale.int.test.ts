import { tmpdir } from 'node:os';
import { decodeAuditEvent, encodeAuditEvent, readPolicy } from '@residency/contracts';
import { FIRST_POLICY } from '@residency/standalone';
import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { EventGenerator } from './generated-events.ts';
import { replayRun } from './replay-runs.ts';

// The short version of `npm run proof:replay`.
const EVENTS = 20_000;
const MiB = 1024 * 1024;

test("generated events equal a router's events, byte for byte", async () => {
  const generator = new EventGenerator({
    log: 'log-1',
    policy: readPolicy(await readFile(FIRST_POLICY)),
    since: Date.UTC(2026, 0, 1),
    consents: 5,
  });
  for (let offset = 0; offset < 200; offset += 1)
    expect(encodeAuditEvent(decodeAuditEvent(generator.event(offset)))).toEqual(
      generator.event(offset),
    );
});

test('every replay of one log has the digest of a bare read, the same views, and no more memory than a replay of a tenth of it', async () => {
  const tenth = await replayRun(tmpdir(), EVENTS / 10);
  const whole = await replayRun(tmpdir(), EVENTS);
  expect(new Set(whole.digests).size).toBe(1);
  expect(new Set(whole.views).size).toBe(1);
  expect(whole.digests[0]).not.toBe(tenth.digests[0]);
  expect([whole.differences, whole.decidedAgain]).toEqual([0, (EVENTS * 7) / 10]);
  for (const what of ['replay', 'adjudicate'] as const)
    expect(whole[what].peakBytes - tenth[what].peakBytes).toBeLessThan(100 * MiB);
});
