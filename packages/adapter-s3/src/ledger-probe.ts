import { createHash } from 'node:crypto';
import type { Pause } from './create-only.ts';
import { ignoresIfMatch, probe } from './probe.ts';
import type { NewObject, ReplacingCalls } from './s3-calls.ts';
import { S3Error } from './s3-error.ts';

const BYTES = Buffer.from('{"probe":"conditional-writes"}\n');

/**
 * No ledger's file. Permanent, and always of these bytes, so a store that overwrites it does no
 * harm, and gives itself away.
 */
const PROBE: NewObject = {
  key: 'residency-ledger.probe',
  bytes: BYTES,
  metadata: {},
  sha256: createHash('sha256').update(BYTES).digest('hex'),
  md5: createHash('md5').update(BYTES).digest('base64'),
};

/**
 * Throws `LEDGER_NOT_CONDITIONAL` if the store overwrites in spite of the condition: two auditors
 * could then publish two histories.
 */
export async function requireConditionalWrites(
  calls: ReplacingCalls,
  site: string,
  pause: Pause,
): Promise<void> {
  if (
    (await probe(calls, site, PROBE, pause)) === 'created' &&
    (await probe(calls, site, PROBE, pause)) === 'created'
  )
    throw unconditional('If-None-Match: *');
  if (await ignoresIfMatch(calls, site, PROBE, pause)) throw unconditional('If-Match');
}

function unconditional(header: string): S3Error {
  return new S3Error({
    code: 'LEDGER_NOT_CONDITIONAL',
    message: `Expected the ledgers' store to carry out a conditional write only if its condition holds (${header}), found that it overwrote an object all the same. Use a store with conditional writes, and no gateway before it that drops the header: two auditors could publish two histories in this one.`,
    remedy: 'stop',
  });
}
