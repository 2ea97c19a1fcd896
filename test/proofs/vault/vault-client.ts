import { randomBytes } from 'node:crypto';

export interface Answer {
  readonly status: number;
  readonly body: Buffer;
  /** Of a problem document. */
  readonly code?: string;
}

export interface Asked {
  readonly body?: object;
  readonly token: string;
  /** How long the client waits, milliseconds. */
  readonly ms?: number;
  /** Called when the status has arrived, before the body is read. */
  readonly arrived?: (status: number) => Promise<void>;
  /** Called for each piece of the body as it arrives. */
  readonly piece?: (status: number, bytes: number) => void;
}

/** A UUID of version 7 (RFC 9562 §5.7). */
export function uuid7(): string {
  const bytes = Buffer.concat([Buffer.alloc(6), randomBytes(10)]);
  bytes.writeUIntBE(Date.now(), 0, 6);
  bytes.writeUInt8(0x70 | (bytes.readUInt8(6) & 0x0f), 6);
  bytes.writeUInt8(0x80 | (bytes.readUInt8(8) & 0x3f), 8);
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

/** One request to a vault. `path`: the access id, and perhaps `/sample` or `/approvals`. */
export async function askVault(
  url: string,
  method: string,
  path: string,
  { body, token, ms = 60_000, arrived, piece }: Asked,
): Promise<Answer> {
  const response = await fetch(`${url}/v1/accesses/${path}`, {
    method,
    headers: { authorization: `Bearer ${token}` },
    signal: AbortSignal.timeout(ms),
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  await arrived?.(response.status);
  const pieces: Uint8Array[] = [];
  for await (const each of response.body ?? []) {
    piece?.(response.status, each.length);
    pieces.push(each);
  }
  const bytes = Buffer.concat(pieces);
  const isProblem = response.headers.get('content-type')?.includes('problem+json') === true;
  return {
    status: response.status,
    body: bytes,
    ...(isProblem ? { code: (JSON.parse(bytes.toString()) as { code: string }).code } : {}),
  };
}
