import {
  SAMPLE_COPIED,
  SAMPLE_ERASED,
  custodyEventIn,
  sampleCopied,
  sampleErased,
  storedSample,
} from '@residency/contracts';
import type { AuditEvent, LogRecord } from '@residency/contracts';
import { CustodyIndex } from '@residency/reconciliation';

/** The copies that a site has by the logs. */
export interface HoldingTotal {
  readonly region: string;
  readonly site: string;
  readonly copies: number;
  /** Of the sealed messages. */
  readonly sealedBytes: number;
  /** Samples that were erased in the site; none of them is a copy. */
  readonly erased: number;
}

/**
 * The stored samples by the sites that have a copy, after all custody events. The custody logs first,
 * then the audit events. The result depends on the records alone: a site that is out or retired is in
 * it. Holds a few bytes for each copy that a custodian made.
 */
export class HoldingTotals {
  readonly #index = new CustodyIndex();
  readonly #totals = new Map<string, HoldingTotal>();

  /** Passes the records on. */
  async *reading<Record extends Pick<LogRecord, 'value'>>(
    records: AsyncIterable<Record>,
  ): AsyncGenerator<Record> {
    for await (const record of records) {
      const event = custodyEventIn(record.value);
      if (event?.type === SAMPLE_COPIED) this.#index.add(sampleCopied(event));
      else if (event?.type === SAMPLE_ERASED) this.#index.add(sampleErased(event));
      yield record;
    }
  }

  add(event: AuditEvent): void {
    if (event.outcome !== 'stored') return;
    const { region, copies, erased } = this.#index.fold(storedSample(event)).holding;
    for (const { site, sealedBytes } of copies)
      this.#count(region, site, { copies: 1, sealedBytes, erased: 0 });
    for (const site of erased?.sites ?? [])
      this.#count(region, site, { copies: 0, sealedBytes: 0, erased: 1 });
  }

  #count(region: string, site: string, more: Omit<HoldingTotal, 'region' | 'site'>): void {
    // A space is in no name.
    const name = `${region} ${site}`;
    const before = this.#totals.get(name);
    this.#totals.set(name, {
      region,
      site,
      copies: (before?.copies ?? 0) + more.copies,
      sealedBytes: (before?.sealedBytes ?? 0) + more.sealedBytes,
      erased: (before?.erased ?? 0) + more.erased,
    });
  }

  rows(): readonly HoldingTotal[] {
    return [...this.#totals]
      .toSorted(([one], [other]) => (one < other ? -1 : 1))
      .map(([, total]) => total);
  }
}
