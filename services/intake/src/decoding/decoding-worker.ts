import { parentPort } from 'node:worker_threads';
import type { HttpContent } from '@residency/cloudevents';
import { decodeBody, packEvents } from './decoding.ts';
import type { PackedEvents, Undecodable } from './decoding.ts';

export interface DecodingRequest {
  readonly id: number;
  readonly headers: HttpContent['headers'];
  readonly body: Uint8Array;
}

export type DecodingResponse = { readonly id: number } & (
  | { readonly packed: PackedEvents }
  | { readonly undecodable: Undecodable }
);

parentPort?.on('message', ({ id, headers, body }: DecodingRequest) => {
  const decoded = decodeBody({
    headers,
    body: Buffer.from(body.buffer, body.byteOffset, body.byteLength),
  });
  if ('undecodable' in decoded) {
    parentPort?.postMessage({ id, ...decoded } satisfies DecodingResponse, []);
    return;
  }
  const packed = packEvents(decoded);
  parentPort?.postMessage({ id, packed } satisfies DecodingResponse, [packed.data]);
});
