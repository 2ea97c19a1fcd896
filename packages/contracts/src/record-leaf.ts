import { tryReadJson } from '@residency/residency';
import { z } from 'zod';
import { sha256 } from './digest.ts';
import { hex64 } from './fields.ts';
import type { LogRecord } from './log-record.ts';

/** What a log says of a record, without the log's name. */
export type RecordContent = Pick<LogRecord, 'offset' | 'at' | 'key' | 'headers' | 'value'>;

const NEWLINE = 0x0a;
const offset = z.string().regex(/^(?:0|[1-9]\d{0,18})$/);
const firstLine = z.strictObject({
  at: z.int(),
  bytes: z.int().nonnegative().nullable(),
  headers: z.array(z.tuple([z.string(), z.string()])),
  key: z.string().nullable(),
  offset,
});
const digested = z.strictObject({ offset, sha256: hex64 });

/**
 * Everything that the log says of a record, in one form: a line of JSON, then the value
 * (docs/formats/record-leaf.md).
 */
export function recordForm(record: RecordContent): Buffer {
  const { at, headers, key, value } = record;
  // The members in the order of RFC 8785.
  const line = JSON.stringify({
    at,
    bytes: value?.length ?? null,
    headers: headers.map(([name, content]) => [name, content.toString('base64')]),
    key: key?.toString('base64') ?? null,
    offset: String(record.offset),
  });
  return Buffer.concat([Buffer.from(`${line}\n`), value ?? Buffer.alloc(0)]);
}

/** The inverse. `undefined`: these bytes are no record's form. */
export function recordInForm(form: Uint8Array): RecordContent | undefined {
  const bytes = Buffer.from(form);
  const end = bytes.indexOf(NEWLINE);
  const line = end === -1 ? undefined : jsonOf(firstLine, bytes.subarray(0, end));
  if (line === undefined) return undefined;
  const record: RecordContent = {
    offset: BigInt(line.offset),
    at: line.at,
    key: line.key === null ? null : Buffer.from(line.key, 'base64'),
    headers: line.headers.map(([name, content]) => [name, Buffer.from(content, 'base64')]),
    value: line.bytes === null ? null : bytes.subarray(end + 1),
  };
  return recordForm(record).equals(bytes) ? record : undefined;
}

/** The leaf that says nothing of a record but its offset. */
export function digestLeaf(record: RecordContent): Buffer {
  return digestLine(String(record.offset), sha256(recordForm(record)));
}

/** The offset that a leaf names; `undefined`: it is no leaf of a record. */
export function offsetOfLeaf(leaf: Uint8Array): bigint | undefined {
  const found = jsonOf(digested, leaf);
  if (found === undefined) return recordInForm(leaf)?.offset;
  return digestLine(found.offset, found.sha256).equals(leaf) ? BigInt(found.offset) : undefined;
}

function digestLine(at: string, digest: string): Buffer {
  return Buffer.from(`{"offset":"${at}","sha256":"${digest}"}`);
}

function jsonOf<Schema extends z.ZodType>(
  schema: Schema,
  bytes: Uint8Array,
): z.output<Schema> | undefined {
  return schema.safeParse(tryReadJson(bytes)).data;
}
