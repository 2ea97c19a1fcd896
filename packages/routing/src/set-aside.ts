import { hasCode } from '@residency/coded-error';
import { formatPosition } from '@residency/contracts';
import { defined } from '@residency/defined';
import { setAsideRefused, unprocessable } from './contain.ts';
import type { ControlView } from './ports/control-view.ts';
import type { Batch, BatchResult, Blocked, RouteBatch } from './ports/submission-log.ts';
import { assembleResult } from './assemble-result.ts';

const DETAIL =
  'set aside by `residency quarantine set-aside`; `residency audit list --control` shows why';

/**
 * Quarantines a record that a person set aside, but only if it blocks its partition for a reason
 * inside the record (`RECORD_BLOCKED`). A record that can be settled is settled. A record that
 * waits for a site or a view keeps waiting. So does a record of which a site may hold bytes
 * (`SET_ASIDE_REFUSED`).
 */
export function settingAside(route: RouteBatch, control: ControlView): RouteBatch {
  return async function routeAll(batch: Batch): Promise<BatchResult> {
    const result = await route(batch);
    const { settlements, blocked } = result;
    if (!hasCode(blocked?.error, 'RECORD_BLOCKED')) return result;
    const { setAside = [] } = await control.read();
    const [record, ...rest] = batch.records.slice(settlements.length);
    if (blocked === undefined || record === undefined) return result;
    const { log, topic, partition } = batch;
    const position = formatPosition({ log, topic, partition, offset: record.offset });
    if (!setAside.includes(position)) return result;
    const sites = (await blocked.bytesIn?.()) ?? [];
    if (sites.length > 0)
      return {
        settlements,
        blocked: { ...blocked, error: setAsideRefused(position, sites, blocked.error) },
      };
    const before = batch.records[settlements.length - 1]?.offset ?? batch.previous;
    const aside = assembleResult({ ...batch, previous: before }, [
      {
        decoded: { record, read: { result: unprocessable() } },
        result: unprocessable(undefined, DETAIL),
      },
    ]);
    if (aside.blocked !== undefined || rest.length === 0)
      return {
        settlements: [...settlements, ...aside.settlements],
        ...defined({ blocked: aside.blocked }),
      };
    const after = await routeAll({ ...batch, previous: record.offset, records: rest });
    return { ...after, settlements: [...settlements, ...aside.settlements, ...after.settlements] };
  };
}

/**
 * True if the record blocks its partition for a reason inside the record. Then only a new release
 * or a person can unblock the partition.
 */
export function blocksByItself({ error }: Pick<Blocked, 'error'>): boolean {
  return hasCode(error, 'RECORD_BLOCKED') || hasCode(error, 'SET_ASIDE_REFUSED');
}
