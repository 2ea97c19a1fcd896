import { decodeHttp } from '@residency/cloudevents';
import type { CloudEvent, HttpContent, HttpEvents } from '@residency/cloudevents';
import { CodedError } from '@residency/coded-error';

/**
 * The most events of a batch. The smallest event has under a hundred bytes, so without this limit
 * one request could become a quarter of a million records.
 */
export const BATCH_EVENTS = 1_000;

/** Why a body is not an event, in constant words. */
export interface Undecodable {
  readonly code: string;
  readonly message: string;
  /** The index of the event in its batch, from 0. */
  readonly index?: number;
}

export type Decoding = HttpEvents | { readonly undecodable: Undecodable };

export function decodeBody(content: HttpContent): Decoding {
  try {
    return decodeHttp(content, { batchEvents: BATCH_EVENTS });
  } catch (error) {
    if (!(error instanceof CodedError)) throw error;
    const index = 'index' in error && typeof error.index === 'number' ? { index: error.index } : {};
    return { undecodable: { code: error.code, message: error.message, ...index } };
  }
}

/** Events as they are sent between threads: all their data in one buffer, which is transferred. */
export interface PackedEvents {
  readonly mode: HttpEvents['mode'];
  readonly events: readonly (Omit<CloudEvent, 'data'> & { readonly dataBytes?: number })[];
  readonly data: ArrayBuffer;
}

export function packEvents({ mode, events }: HttpEvents): PackedEvents {
  const data = new ArrayBuffer(events.reduce((sum, event) => sum + (event.data?.length ?? 0), 0));
  let used = 0;
  const packed = events.map(({ data: bytes, ...event }) => {
    if (bytes === undefined) return event;
    new Uint8Array(data, used, bytes.length).set(bytes);
    used += bytes.length;
    return { ...event, dataBytes: bytes.length };
  });
  return { mode, events: packed, data };
}

/** The inverse of `packEvents`. Cloning gives extensions a prototype, which is removed here. */
export function unpackEvents({ mode, events, data }: PackedEvents): HttpEvents {
  let used = 0;
  return {
    mode,
    events: events.map(({ dataBytes, ...event }) => {
      const extensions: CloudEvent['extensions'] = Object.assign(
        Object.create(null),
        event.extensions,
      );
      if (dataBytes === undefined) return { ...event, extensions };
      used += dataBytes;
      return { ...event, extensions, data: Buffer.from(data, used - dataBytes, dataBytes) };
    }),
  };
}
