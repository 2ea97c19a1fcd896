import type { KafkaLog } from '@residency/adapter-kafka';
import { hasTickKey } from '@residency/contracts';
import type { Topic } from '@residency/contracts';
import { ok, secondsText, wrong } from '@residency/observation';
import type { CheckResult } from '@residency/observation';
import { readingOf } from './clocks.ts';
import type { ClockReading } from './clocks.ts';

/** A projector ticks four times a second. */
const WATCH_MS = 4_000;
const ENOUGH = 3;

export type TickLog = Pick<KafkaLog, 'ends' | 'read'>;

/**
 * The clock that stamps a log's ticks, from the ticks that arrive now; `undefined`: none arrives.
 * Each tick was stamped before it arrived. A projector awaits each tick, so every tick but the first
 * was stamped after the end of the log was asked for. However long a tick takes, both bounds hold.
 */
export async function watchTicks(
  log: TickLog,
  topic: Topic,
  {
    now,
    signal,
    watchMs = WATCH_MS,
  }: { readonly now: () => number; readonly signal: AbortSignal; readonly watchMs?: number },
): Promise<ClockReading | undefined> {
  const asked = now();
  const from = await log.ends(topic);
  const clock = `Kafka (${topic})`;
  const readings: ClockReading[] = [];
  const over = AbortSignal.any([signal, AbortSignal.timeout(watchMs)]);
  for await (const { key, at } of log.read(topic, { from, until: 'aborted', signal: over })) {
    if (hasTickKey({ key }))
      readings.push(readingOf(clock, { at, grain: 0, asked, answered: now() }));
    if (readings.length === ENOUGH) break;
  }
  if (readings.length === 0) return undefined;
  return {
    clock,
    least: Math.max(...readings.map(({ least }) => least)),
    most: Math.min(...readings.slice(1).map(({ most }) => most)),
  };
}

export function judgeTicks(check: string, reading: ClockReading | undefined): CheckResult {
  if (reading !== undefined) return ok(check, 'a projector ticks');
  return wrong(
    check,
    `no tick in ${secondsText(WATCH_MS)}`,
    'No consent projector ticks, so routing waits: start one, or see its log.',
  );
}
