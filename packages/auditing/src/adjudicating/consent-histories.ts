import { remedyOf } from '@residency/coded-error';
import { evolve } from '@residency/consent';
import type { ConsentEvent, ConsentHistory } from '@residency/consent';
import { readConsentRecord } from '@residency/contracts';
import type { LogRecord } from '@residency/contracts';
import { partOf } from '../part-of.ts';
import type { Scratch } from '../ports/scratch.ts';

/** A record of `threat.consents`. */
export type ConsentRecord = Pick<LogRecord, 'key' | 'headers' | 'value' | 'at'>;

/**
 * Reads the consent log itself, not a view of it, and writes it to the scratch store in parts.
 * Returns the number of records without a consent event; every view skips those.
 */
export async function putDownConsents(
  records: AsyncIterable<ConsentRecord>,
  scratch: Scratch,
): Promise<number> {
  let skipped = 0;
  for await (const record of records) {
    const event = read(record);
    if (event === 'unreadable') skipped += 1;
    else if (event !== undefined)
      await scratch.write(partOf(event.consentId), JSON.stringify([record.at, event]));
  }
  return skipped;
}

/** The histories of the consents in one part, folded in log order. */
export async function historiesOf(
  scratch: Scratch,
  part: number,
): Promise<ReadonlyMap<string, ConsentHistory>> {
  const histories = new Map<string, ConsentHistory>();
  for await (const line of scratch.read(part)) {
    const [at, event]: readonly [number, ConsentEvent] = JSON.parse(line);
    histories.set(event.consentId, evolve(histories.get(event.consentId) ?? [], event, at));
  }
  return histories;
}

function read(record: ConsentRecord): ConsentEvent | 'unreadable' | undefined {
  try {
    return readConsentRecord(record);
  } catch (error) {
    if (remedyOf(error) !== 'park') throw error;
    return 'unreadable';
  }
}
