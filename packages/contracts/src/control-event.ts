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
export const ROUTING_PAUSED = 'residency.routing.paused.v1';
export const INTAKE_DRAINING = 'residency.intake.draining.v1';
export const ROUTING_RESUMED = 'residency.routing.resumed.v1';
export const LOG_LEVEL_SET = 'residency.log-level.set.v1';

export const EXPORT_FORMATS = ['ndjson', 'csv'] as const;
/** `default`: as its configuration says. */
export const CONTROL_LOG_LEVELS = ['debug', 'info', 'warn', 'error', 'default'] as const;

const instant = z.string().refine((text) => parseInstant(text) !== undefined, 'not RFC 3339');
const asked = {
  export: z.string().min(1).max(64),
  from: instant,
  to: instant,
  format: z.enum(EXPORT_FORMATS),
};
const reason = z.string().regex(/^[^\p{C}]{1,200}$/u);
const SCHEMAS = {
  [EXPORT_BEGUN]: z.strictObject(asked),
  [EXPORTED]: z.strictObject({
    ...asked,
    events: z.int().nonnegative(),
    digest: z.string().regex(/^[0-9a-f]{64}$/),
    complete: z.boolean(),
  }),
  [ROUTING_PAUSED]: z.strictObject({ reason }),
  [INTAKE_DRAINING]: z.strictObject({ reason }),
  [ROUTING_RESUMED]: z.strictObject({}),
  [LOG_LEVEL_SET]: z.strictObject({
    service: z.string().regex(/^[a-z][a-z-]{0,63}$/),
    level: z.enum(CONTROL_LOG_LEVELS),
  }),
};
type ControlType = keyof typeof SCHEMAS;

/** `export` names one export: both of its events have it. `digest` is the replay digest of what was given out. `service`: a service's name, or `all`. */
export type ControlEvent = {
  readonly [Type in ControlType]: {
    readonly type: Type;
    readonly data: Readonly<z.infer<(typeof SCHEMAS)[Type]>>;
  };
}[ControlType];

/** Its id is its key, so that compaction keeps every one. Throws `INVALID_CONTROL_EVENT` where nobody could read it back. */
export function controlEntry({ type, data }: ControlEvent, id: string): LogEntry {
  if (!SCHEMAS[type].safeParse(data).success) throw invalid();
  const event = {
    specversion: '1.0',
    id,
    source: '/residency/control',
    type,
    datacontenttype: 'application/json',
    extensions: {},
    data: Buffer.from(JSON.stringify(data)),
  } as const;
  return {
    topic: TOPICS.control,
    record: { key: Buffer.from(id), ...encodeKafkaStructured(event) },
  };
}

/** The inverse. Throws `INVALID_CONTROL_EVENT` (park): whoever may write to the control log controls it. */
export function readControlRecord({
  headers,
  value,
}: Pick<LogRecord, 'headers' | 'value'>): ControlEvent {
  try {
    const { type, data } = decodeKafka({ headers, value });
    const json: unknown = JSON.parse((data ?? Buffer.alloc(0)).toString('utf8'));
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the schema of that type
    if (isControlType(type)) return { type, data: SCHEMAS[type].parse(json) } as ControlEvent;
  } catch (cause) {
    throw invalid(cause);
  }
  throw invalid();
}

function isControlType(type: string): type is ControlType {
  return Object.hasOwn(SCHEMAS, type);
}

function invalid(cause?: unknown): ContractError {
  return new ContractError({
    code: 'INVALID_CONTROL_EVENT',
    message:
      'Expected a control event as in docs/formats/control.md, found something else; see who may write to the control log.',
    remedy: 'park',
    cause,
  });
}
