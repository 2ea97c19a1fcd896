import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { custodyTopic } from '@residency/contracts';
import { formatVerifierKey } from '@residency/ledger';
import { provenIn, writeTogether } from '../ledger/proven.ts';
import type { System } from '../system/system.ts';
import { usage } from '../terminal/cli-error.ts';
import { EXIT } from '../terminal/exit-code.ts';
import type { ExitCode } from '../terminal/exit-code.ts';
import { printable } from '../terminal/output.ts';
import { checkInterrupted } from '../terminal/session.ts';
import type { Session } from '../terminal/session.ts';
import { counted } from '../terminal/table.ts';
import { refuseExisting } from '../terminal/write-new-file.ts';
import { intakeUntil } from './erasure-plan.ts';
import type { OrderedErasure } from './ordered-samples.ts';
import { RECEIPT_PAGE, receiptPage } from './receipt-page.ts';
import type { ReceiptFile } from './receipt-page.ts';

/**
 * Writes a receipt for each event that says what was erased by an order, and a page for a person.
 * All files or none. Throws if the ledger has not signed an event yet.
 */
export async function writeReceipts(
  session: Session,
  system: System,
  ordered: OrderedErasure,
  folder: string,
): Promise<ExitCode> {
  const entries = ordered.samples.flatMap(({ erased }) => erased);
  if (entries.length === 0)
    throw usage(
      'Expected an order by which something was erased, found none yet; nothing was written. See `residency audit erasures --order`.',
    );
  await refuseExisting(join(folder, RECEIPT_PAGE), '--receipt');
  const ledgers = await system.ledgers();
  const keys = new Map<string, readonly string[]>();
  const files: ReceiptFile[] = [];
  const contents: (readonly [path: string, bytes: Uint8Array])[] = [];
  for (const entry of entries) {
    checkInterrupted(session);
    const { region } = entry.sample.stored;
    const of = { topic: custodyTopic(region), partition: 0 };
    const { receipt } = await provenIn(system, of, entry.leaf);
    const file = `${region}-${entry.sequence}.tlog-proof`;
    files.push({ file, entry });
    contents.push([join(folder, file), receipt], [join(folder, `${file}.leaf`), entry.leaf]);
    if (!keys.has(region))
      keys.set(
        region,
        (await ledgers.verifierKeys(of)).map((key) => formatVerifierKey(key)),
      );
  }
  const page = receiptPage({
    ordered,
    files,
    keys,
    intakeUntil: await intakeUntil(
      session,
      system,
      ordered.samples.map(({ sample }) => sample),
    ),
  });
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await writeTogether([...contents, [join(folder, RECEIPT_PAGE), Buffer.from(page)]]);
  await session.output.line(
    `${counted(files.length, 'receipt')} and ${RECEIPT_PAGE} in ${printable(folder)}.`,
  );
  return EXIT.done;
}
