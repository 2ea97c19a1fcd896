import { readJson } from '@residency/residency';
import { z } from 'zod';
import { ContractError } from './contract-error.ts';
import { hex64, position } from './fields.ts';
import { QUARANTINE_REASONS } from './reasons.ts';

export const quarantinePointer = z.strictObject({
  position,
  reason: z.enum(QUARANTINE_REASONS),
  detail: z.string(),
  valueSha256: hex64,
  valueBytes: z.int().nonnegative(),
});

/**
 * A record of `threat.samples.quarantine`: the position of the quarantined record and the reason.
 * It never holds the payload. `detail` repeats no input.
 */
export type QuarantinePointer = Readonly<z.infer<typeof quarantinePointer>>;

export function encodeQuarantinePointer(pointer: QuarantinePointer): Buffer {
  return Buffer.from(JSON.stringify(pointer), 'utf8');
}

/**
 * The inverse of `encodeQuarantinePointer`. Throws `INVALID_POINTER` (park). Everybody with write
 * access to the quarantine topic controls the input.
 */
export function decodeQuarantinePointer(bytes: Uint8Array): QuarantinePointer {
  try {
    return quarantinePointer.parse(readJson(bytes));
  } catch (cause) {
    throw new ContractError({
      code: 'INVALID_POINTER',
      message:
        'Expected a quarantine pointer as in docs/formats/quarantine.md, found something else; see who may write to the quarantine.',
      remedy: 'park',
      cause,
    });
  }
}
