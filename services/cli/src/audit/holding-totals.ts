import { custodyEventIn, isWhereEvent, sampleEvent, storedSample } from '@residency/contracts';
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
  /** Samples that were stored in the site and that a person gave up; none of them is a copy. */
  readonly lost: number;
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
      if (event !== undefined && isWhereEvent(event)) this.#index.add(sampleEvent(event));
      yield record;
    }
  }

  add(event: AuditEvent): void {
    if (event.outcome !== 'stored') return;
    const { region, copies, erased, lost } = this.#index.fold(storedSample(event)).holding;
    for (const { site, sealedBytes } of copies)
      this.#count(region, site, { copies: 1, sealedBytes });
    for (const site of erased?.sites ?? []) this.#count(region, site, { erased: 1 });
    if (lost !== undefined && erased === undefined)
      for (const { site } of event.data.placements) this.#count(region, site, { lost: 1 });
  }

  #count(region: string, site: string, more: Partial<HoldingTotal>): void {
    // A space is in no name.
    const name = `${region} ${site}`;
    const before = this.#totals.get(name);
    this.#totals.set(name, {
      region,
      site,
      copies: (before?.copies ?? 0) + (more.copies ?? 0),
      sealedBytes: (before?.sealedBytes ?? 0) + (more.sealedBytes ?? 0),
      erased: (before?.erased ?? 0) + (more.erased ?? 0),
      lost: (before?.lost ?? 0) + (more.lost ?? 0),
    });
  }

  rows(): readonly HoldingTotal[] {
    return [...this.#totals]
      .toSorted(([one], [other]) => (one < other ? -1 : 1))
      .map(([, total]) => total);
  }
}
