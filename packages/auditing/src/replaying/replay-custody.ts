import {
  LOSS_CLOSED,
  ORDER_CLOSED,
  SAMPLE_ACCESSED,
  SAMPLE_COPIED,
  SAMPLE_ERASED,
  SAMPLE_LOST,
  custodyEventIn,
  regionOfCustody,
} from '@residency/contracts';
import type { LogRecord } from '@residency/contracts';
import { Capped } from '../capped.ts';
import type { AuditAnomalyKind } from '../growing/audit-anomaly.ts';
import { kindOf } from '../logs/kind-of.ts';
import { EMPTY_DIGEST, ReplayDigest } from './replay-digest.ts';

export interface CustodyFault {
  readonly code: AuditAnomalyKind;
  /** Of the record, without the log's name: `residency.custody.zurich/0/<offset>`. */
  readonly position: string;
}

/** The events of one region's custody log, counted. */
export interface CustodyReplay {
  readonly region: string;
  readonly events: number;
  /** Copies by the site that got them, those made anew among them. */
  readonly copies: Readonly<Record<string, number>>;
  /** Events of erasures: one for each sample, and one more for each time a site got its tombstone later. */
  readonly erased: number;
  /** Samples that were given up, because no site had a good copy. */
  readonly lost: number;
  /** Orders to repair a site, or to give samples up, that ended. */
  readonly orders: number;
  /** Samples that were given out, or could have been. */
  readonly accesses: number;
  /**
   * Lower-case hex SHA-256 over all values in order, as a partition's in the replay digest
   * (docs/formats/audit-event.md "Replay digest").
   */
  readonly sha256: string;
  /** The faults that the custody log alone shows. */
  readonly faults: { readonly total: number; readonly list: readonly CustodyFault[] };
}

const NOTHING = Buffer.alloc(0);

/** Reads a custody log from its start. The result depends on its records alone. */
export async function replayCustody(
  topic: string,
  records: AsyncIterable<Pick<LogRecord, 'offset' | 'value'>>,
  { maxListed = 1_000 }: { readonly maxListed?: number } = {},
): Promise<CustodyReplay> {
  const check = kindOf(topic).check({ fromStart: true });
  const [digest, faults] = [new ReplayDigest(), new Capped<CustodyFault>(maxListed)];
  const copies = new Map<string, number>();
  let [events, erased, lost, orders, accesses] = [0, 0, 0, 0, 0];
  for await (const { offset, value } of records) {
    digest.add(0, value ?? NOTHING);
    const position = `${topic}/0/${offset}`;
    for (const code of check.follow(value)?.faults ?? (['UNDECODABLE'] as const))
      faults.add({ code, position });
    const event = custodyEventIn(value);
    if (event === undefined) continue;
    events += 1;
    if (event.type === SAMPLE_COPIED) {
      const { site } = event.data.copy;
      copies.set(site, (copies.get(site) ?? 0) + 1);
    } else if (event.type === SAMPLE_ERASED) erased += 1;
    else if (event.type === SAMPLE_LOST) lost += 1;
    else if (event.type === ORDER_CLOSED || event.type === LOSS_CLOSED) orders += 1;
    else if (event.type === SAMPLE_ACCESSED) accesses += 1;
  }
  return {
    region: regionOfCustody(topic) ?? topic,
    events,
    copies: Object.fromEntries([...copies].toSorted(([a], [b]) => a.localeCompare(b))),
    erased,
    lost,
    orders,
    accesses,
    sha256: digest.partitions()[0]?.sha256 ?? EMPTY_DIGEST,
    faults: { total: faults.total, list: faults.list },
  };
}
