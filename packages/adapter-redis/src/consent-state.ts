import type { ConsentHistory, ConsentInterval } from '@residency/consent';
import { defined } from '@residency/defined';
import { tryReadJson } from '@residency/residency';

/**
 * The value of a consent's key: its history, and the generation of the projection that wrote it.
 */
export interface ConsentState {
  readonly generation: string;
  readonly history: ConsentHistory;
}

export function encodeState({ generation, history }: ConsentState): string {
  return JSON.stringify({ v: 1, generation, history: history.map(plain) });
}

/**
 * The inverse of `encodeState`; `undefined` for anything else. Everybody with write access to Redis
 * controls the text.
 */
export function decodeState(text: string): ConsentState | undefined {
  const found = tryReadJson(text);
  if (typeof found !== 'object' || found === null) return undefined;
  const { v, generation, history }: Partial<Record<string, unknown>> = found;
  if (
    v !== 1 ||
    typeof generation !== 'string' ||
    !Array.isArray(history) ||
    !history.every(isInterval)
  )
    return undefined;
  return { generation, history: history.map(plain) };
}

/** The fields of the contract, in one order, and no others. */
function plain({
  from,
  until,
  purposes,
  termsVersion,
  termsSha256,
}: ConsentInterval): ConsentInterval {
  return {
    from,
    ...defined({ until }),
    purposes,
    termsVersion,
    ...defined({ termsSha256 }),
  };
}

function isInterval(value: unknown): value is ConsentInterval {
  if (typeof value !== 'object' || value === null) return false;
  const {
    from,
    until,
    purposes,
    termsVersion,
    termsSha256,
  }: Partial<Record<keyof ConsentInterval, unknown>> = value;
  return (
    Number.isSafeInteger(from) &&
    (until === undefined || Number.isSafeInteger(until)) &&
    Array.isArray(purposes) &&
    purposes.every((purpose) => typeof purpose === 'string') &&
    typeof termsVersion === 'string' &&
    (termsSha256 === undefined || typeof termsSha256 === 'string')
  );
}
