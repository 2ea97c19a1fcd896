import { defined } from '@residency/defined';
import { codeOf } from '@residency/coded-error';
import { auditEventIn, custodyEventIn, formatPosition } from '@residency/contracts';
import { parseReceipt, verifyReceipt } from '@residency/ledger';
import type { VerifiedReceipt } from '@residency/ledger';
import { formatInstant } from '@residency/residency';
import type { Common } from '../terminal/command.ts';
import { EXIT } from '../terminal/exit-code.ts';
import type { ExitCode } from '../terminal/exit-code.ts';
import { placeOf } from '../system/outcome.ts';
import { printable } from '../terminal/output.ts';
import { readNamed } from '../terminal/read-named.ts';
import type { Session } from '../terminal/session.ts';
import { parseVerifierKeys, trustIn } from '../ledger/verifier-keys.ts';

type Options = Common & { readonly key: readonly string[]; readonly leaf?: string };

export async function verify(
  session: Session,
  { key: named, leaf: leafFile, json }: Options,
  path: string,
): Promise<ExitCode> {
  const { output } = session;
  const key = parseVerifierKeys(named);
  const receipt = await readNamed(path, 'the receipt');
  const leaf = await readNamed(leafFile ?? `${path}.leaf`, 'the leaf');
  let verified: VerifiedReceipt;
  try {
    verified = await verifyReceipt(
      receipt,
      leaf,
      trustIn(key, checkpointOf(receipt)) ?? { keys: key },
    );
  } catch (error) {
    const code = codeOf(error);
    if (
      code === undefined ||
      code === 'INVALID_TRUST' ||
      code === 'CRYPTO_UNAVAILABLE' ||
      !(error instanceof Error)
    )
      throw error;
    await (json
      ? output.json({ verified: false, code, message: error.message })
      : output.line(`${code}  ${error.message}`));
    return EXIT.found;
  }
  await (json
    ? output.json({ verified: true, ...committed(verified), ...saidBy(leaf) })
    : output.lines(lines(verified, leaf)));
  return EXIT.done;
}

function checkpointOf(receipt: Uint8Array): Uint8Array | undefined {
  try {
    return parseReceipt(receipt).checkpoint;
  } catch {
    return undefined;
  }
}

function committed({ index, checkpoint: { origin, size, root } }: VerifiedReceipt): {
  readonly origin: string;
  readonly index: number;
  readonly size: number;
  readonly root: string;
} {
  return { origin, index, size, root: Buffer.from(root).toString('base64') };
}

/**
 * The content of the leaf. The ledger's signer committed to these bytes; they may still be false.
 */
function saidBy(leaf: Uint8Array): Readonly<Record<string, unknown>> {
  const event = auditEventIn(leaf);
  if (event === undefined) return saidByCustody(leaf);
  const { submission } = event.data;
  const country = 'country' in event.data ? event.data.country : undefined;
  return {
    outcome: event.outcome,
    place: placeOf(event),
    position: formatPosition(event.position),
    time: formatInstant(event.at),
    ...defined({ submission, country }),
    ...('decision' in event.data && event.data.decision !== undefined
      ? { rule: event.data.decision.rule, policy: event.data.decision.policy }
      : {}),
    ...('placements' in event.data
      ? { sites: event.data.placements?.map(({ site }) => site) }
      : {}),
  };
}

function saidByCustody(leaf: Uint8Array): Readonly<Record<string, unknown>> {
  const event = custodyEventIn(leaf);
  if (event === undefined) return { event: null };
  const said = { custody: event.type, number: event.sequence, time: formatInstant(event.at) };
  const { region } = event.data;
  return 'copy' in event.data
    ? {
        ...said,
        region,
        submission: event.data.submission,
        position: event.data.of,
        site: event.data.copy.site,
      }
    : { ...said, region, order: event.data.order, site: event.data.site };
}

function lines(verified: VerifiedReceipt, leaf: Uint8Array): string[] {
  const { origin, index, size, root } = committed(verified);
  const said = saidBy(leaf);
  const rows =
    said['event'] === null
      ? [['leaf', 'no event']]
      : Object.entries(said).map(([name, value]) => [
          name,
          typeof value === 'string' ? value : JSON.stringify(value),
        ]);
  return [
    `Verified: leaf ${index} of ${origin}, under its checkpoint of ${size} leaves (root ${root}).`,
    ...rows.map(([name = '', value = '']) => `${name.padEnd(12)}${printable(value)}`),
  ];
}
