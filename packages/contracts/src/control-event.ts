import { decodeKafka, encodeKafkaStructured } from '@residency/cloudevents';
import { parseInstant } from '@residency/residency';
import { z } from 'zod';
import { ContractError } from './contract-error.ts';
import type { LogEntry } from './log-entry.ts';
import { TOPICS } from './log-record.ts';
import type { LogRecord } from './log-record.ts';

/** What people did with the system, on `residency.control` (docs/formats/control.md). */
export const EXPORT_BEGUN = 'residency.audit.export-begun.v1';
export const EXPORTED = 'residency.audit.exported.v1';

export const EXPORT_FORMATS = ['ndjson', 'csv'] as const;

const instant = z.string().refine((text) => parseInstant(text) !== undefined, 'not RFC 3339');
const asked = { export: z.string().min(1).max(64), from: instant, to: instant, format: z.enum(EXPORT_FORMATS) };
const begun = z.strictObject(asked);
const exported = z.strictObject({ ...asked, events: z.int().nonnegative(), digest: z.string().regex(/^[0-9a-f]{64}$/), complete: z.boolean() });

/** `export` names one export: both of its events have it. `digest` is the replay digest of what was given out. */
export type ControlEvent =
  | { readonly type: typeof EXPORT_BEGUN; readonly data: Readonly<z.infer<typeof begun>> }
  | { readonly type: typeof EXPORTED; readonly data: Readonly<z.infer<typeof exported>> };

/** Its id is its key, so that compaction keeps every one. */
export function controlEntry({ type, data }: ControlEvent, id: string): LogEntry {
  const event = { specversion: '1.0', id, source: '/residency/control', type, datacontenttype: 'application/json', extensions: {}, data: Buffer.from(JSON.stringify(data)) } as const;
  return { topic: TOPICS.control, record: { key: Buffer.from(id), ...encodeKafkaStructured(event) } };
}

/** The inverse. Throws `INVALID_CONTROL_EVENT` (park): whoever may write to the control log controls it. */
export function readControlRecord({ headers, value }: Pick<LogRecord, 'headers' | 'value'>): ControlEvent {
  try {
    const { type, data } = decodeKafka({ headers, value });
    const json: unknown = JSON.parse((data ?? Buffer.alloc(0)).toString('utf8'));
    if (type === EXPORT_BEGUN) return { type, data: begun.parse(json) };
    if (type === EXPORTED) return { type, data: exported.parse(json) };
  } catch (cause) {
    throw invalid(cause);
  }
  throw invalid();
}

function invalid(cause?: unknown): ContractError {
  return new ContractError({ code: 'INVALID_CONTROL_EVENT', message: 'Expected a control event as in docs/formats/control.md, found something else; see who may write to the control log.', remedy: 'park', cause });
}
