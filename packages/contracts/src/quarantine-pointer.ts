import { z } from 'zod';
import { QUARANTINE_REASONS } from './reasons.ts';

const schema = z.strictObject({
  position: z.string(),
  reason: z.enum(QUARANTINE_REASONS),
  detail: z.string(),
  valueSha256: z.string(),
  valueBytes: z.int().nonnegative(),
});

/** What `threat.samples.quarantine` keeps of a record: where it stands and why, never its payload. `detail` repeats no input. */
export type QuarantinePointer = Readonly<z.infer<typeof schema>>;

export function encodeQuarantinePointer(pointer: QuarantinePointer): Buffer {
  return Buffer.from(JSON.stringify(pointer), 'utf8');
}

/** The inverse of `encodeQuarantinePointer`; only routers write there, so anything else is a defect and throws. */
export function decodeQuarantinePointer(bytes: Uint8Array): QuarantinePointer {
  return schema.parse(JSON.parse(Buffer.from(bytes).toString('utf8')));
}
