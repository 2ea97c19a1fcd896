import { JsonError, readJson } from '@residency/residency';
import type { z } from 'zod';
import type { ContractError } from './contract-error.ts';

/** The error of one kind of event. `what`: what is wrong with its bytes. */
export type InvalidEvent = (what: string, cause?: unknown) => ContractError;

/** An event's JSON, unchecked. Throws `invalid` unless it is JSON with one meaning. */
export function eventJson(bytes: Uint8Array, invalid: InvalidEvent): unknown {
  try {
    return readJson(bytes);
  } catch (cause) {
    const problem = cause instanceof JsonError ? cause.problem : 'something else';
    throw invalid(`not JSON with one meaning: ${problem}`, cause);
  }
}

/** The value, if the schema allows it. Throws `invalid` with the names of the wrong members. */
export function checked<Schema extends z.ZodType>(
  schema: Schema,
  value: unknown,
  invalid: InvalidEvent,
): z.output<Schema> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const paths = parsed.error.issues.map(({ path }) => path.join('.') || 'unknown members');
  throw invalid([...new Set(paths)].join(', '));
}

/** The event of a record's value. `undefined`: the value is missing, or `decode` throws. */
export function eventIn<Event>(
  value: Uint8Array | null | undefined,
  decode: (bytes: Uint8Array) => Event,
): Event | undefined {
  if (value === null || value === undefined) return undefined;
  try {
    return decode(value);
  } catch {
    return undefined;
  }
}
