import { NEW_LEDGER_BEGUN } from '@residency/contracts';
import type { ControlEvent } from '@residency/contracts';
import type { Common } from '../terminal/command.ts';
import { recorded } from '../system/control.ts';
import { EXIT } from '../terminal/exit-code.ts';
import type { ExitCode } from '../terminal/exit-code.ts';
import { newLedgers } from '../ledger/ledger-keeping.ts';
import type { Lost, NewLedgers } from '../ledger/ledger-keeping.ts';
import { ledgerName } from '../ledger/ledgers.ts';
import type { Session } from '../terminal/session.ts';
import { grouped } from '../terminal/table.ts';
import type { System } from '../system/system.ts';
import { withSystem } from '../opening/with-system.ts';

type Options = Common & { readonly lost: Lost };

export async function newLedger(session: Session, options: Options): Promise<ExitCode> {
  return await withSystem(
    session,
    options,
    async (system) => await report(session, options, await begin(session, system, options)),
  );
}

async function begin(session: Session, system: System, { lost }: Options): Promise<NewLedgers> {
  const begun = (act: string): ControlEvent => ({ type: NEW_LEDGER_BEGUN, data: { act, lost } });
  return await system.keepLedgers((keeping) =>
    newLedgers(keeping, lost, (work) => recorded(session, system, begun, work)),
  );
}

async function report(
  { output }: Session,
  { json, config }: Options,
  { generation, begun }: NewLedgers,
): Promise<ExitCode> {
  for (const [of, { after }] of begun) {
    if (json)
      await output.json({
        topic: of.topic,
        partition: of.partition,
        generation,
        after: after ?? null,
      });
    else
      await output.line(
        `${ledgerName(of)}: ledger ${generation} begins with ${after === undefined ? 'no checkpoint, because none is left' : `the checkpoint of the ${grouped(after)} entries before it`}.`,
      );
  }
  output.note(
    `Back up the key file, keep the old ledger, and give the new verifier keys (residency audit key show) to the verifiers${config === undefined ? '' : '; start the auditors'}.`,
  );
  return EXIT.done;
}
