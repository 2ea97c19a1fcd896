import { controlEventIn } from './control-event.ts';
import type { LogRecord } from './log-record.ts';
import { ALL_IN_SERVICE, evolveService, isServiceEvent } from './region-service.ts';
import type { RegionService } from './region-service.ts';

/** The sites of a region while the arbiter had one number. */
export interface ServiceOfNumber {
  /** Absent: the first site of the policy. */
  readonly arbiter?: string;
  /** Sites that were out of service at some time. */
  readonly out: ReadonlySet<string>;
}

/** Which sites served, for each number of the arbiter, by the control records so far. */
export class ServiceHistory {
  readonly #now = new Map<string, RegionService>();
  readonly #past = new Map<string, ServiceOfNumber[]>();

  /** `records`: the control log from its start. */
  static async read(
    records: AsyncIterable<Pick<LogRecord, 'headers' | 'value' | 'at'>>,
  ): Promise<ServiceHistory> {
    const history = new ServiceHistory();
    for await (const record of records) history.add(record);
    return history;
  }

  /** Records of the control log, in order. What is no event about a site's service changes nothing. */
  add(record: Pick<LogRecord, 'headers' | 'value' | 'at'>): void {
    const event = controlEventIn(record);
    if (event === undefined || !isServiceEvent(event)) return;
    const { region } = event.data;
    const service = evolveService(this.#now.get(region) ?? ALL_IN_SERVICE, event, record.at);
    this.#now.set(region, service);
    const past = this.#past.get(region) ?? [{ out: new Set() }];
    const { arbiter, number } = service;
    const out = new Set([...(past[number]?.out ?? []), ...service.out.keys()]);
    past[number] = arbiter === undefined ? { out } : { arbiter, out };
    this.#past.set(region, past);
  }

  /** `undefined`: the arbiter never had this number. */
  of(region: string, number: number): ServiceOfNumber | undefined {
    const past = this.#past.get(region);
    if (past === undefined) return number === 0 ? { out: new Set() } : undefined;
    return past[number];
  }
}
