import type { KafkaLog } from '@residency/adapter-kafka';
import type { Topic } from '@residency/contracts';
import { ok, secondsText, wrong } from '@residency/observation';
import type { CheckResult } from '@residency/observation';
import type { ClockReading } from './clocks.ts';

/** A projector ticks four times a second. */
const WATCH_MS = 4_000;
const ENOUGH = 3;
/** The time from the append of a tick to its arrival here, on a busy machine. */
const ON_ITS_WAY_MS = 500;

export type TickLog = Pick<KafkaLog, 'ends' | 'read'>;

/**
 * The clock that stamps a log's ticks, from the ticks that arrive now; `undefined`: none arrives.
 * Each tick was stamped before it arrived, so the youngest gives the best bound.
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
  const from = await log.ends(topic);
  const leads: number[] = [];
  const over = AbortSignal.any([signal, AbortSignal.timeout(watchMs)]);
  for await (const { key, at } of log.read(topic, { from, until: 'aborted', signal: over })) {
    if (key?.toString('utf8') === 'tick') leads.push(at - now());
    if (leads.length === ENOUGH) break;
  }
  if (leads.length === 0) return undefined;
  const least = Math.max(...leads);
  return { clock: `Kafka (${topic})`, least, most: least + ON_ITS_WAY_MS };
}

export function judgeTicks(check: string, reading: ClockReading | undefined): CheckResult {
  if (reading !== undefined) return ok(check, 'a projector ticks');
  return wrong(
    check,
    `no tick in ${secondsText(WATCH_MS)}`,
    'No consent projector ticks, so routing waits: start one, or see its log.',
  );
}
