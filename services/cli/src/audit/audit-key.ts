import { LEDGER_KEY_CHANGE_BEGUN } from '@residency/contracts';
import { formatVerifierKey } from '@residency/ledger';
import type { VerifierKey } from '@residency/ledger';
import { CliError } from '../terminal/cli-error.ts';
import type { Common } from '../terminal/command.ts';
import { recorded } from '../system/control.ts';
import { EXIT } from '../terminal/exit-code.ts';
import type { ExitCode } from '../terminal/exit-code.ts';
import { rotateKey } from '../ledger/ledger-keeping.ts';
import type { Ledgers } from '../ledger/ledgers.ts';
import type { Session } from '../terminal/session.ts';
import { withSystem } from '../opening/with-system.ts';

export async function showKeys(session: Session, options: Common): Promise<ExitCode> {
  return await withSystem(session, options, async (system) =>
    show(session, options, await system.ledgers()),
  );
}

export async function generateKey(session: Session, options: Common): Promise<ExitCode> {
  return await withSystem(session, options, async (system) => {
    await recorded(
      session,
      system,
      (act) => ({ type: LEDGER_KEY_CHANGE_BEGUN, data: { act, change: 'generate' } }),
      async () => {
        await (await system.ledgers()).makeKey();
      },
    );
    return await show(session, options, await system.ledgers());
  });
}

export async function rotateKeys(session: Session, options: Common): Promise<ExitCode> {
  return await withSystem(session, options, async (system) => {
    await system.keepLedgers((keeping) =>
      rotateKey(keeping, (work) =>
        recorded(
          session,
          system,
          (act) => ({ type: LEDGER_KEY_CHANGE_BEGUN, data: { act, change: 'rotate' } }),
          work,
        ),
      ),
    );
    const code = await show(session, options, await system.ledgers());
    session.output.note(
      `The new key signs. Back up its file, and give the new verifier keys to the verifiers${options.config === undefined ? '' : '; restart the auditors, which sign with the old key until then'}.`,
    );
    return code;
  });
}

async function show({ output }: Session, { json }: Common, ledgers: Ledgers): Promise<ExitCode> {
  for (const { topic, partition } of ledgers.logs) {
    const keys = await ledgers.verifierKeys({ topic, partition });
    requireKey(keys[0], ledgers);
    for (const [at, key] of keys.entries()) {
      const state = at === 0 ? 'signs' : 'former';
      await (json
        ? output.json({ topic, partition, origin: key.name, key: formatVerifierKey(key), state })
        : output.line(`${formatVerifierKey(key)}${at === 0 ? '' : '  (former)'}`));
    }
  }
  return EXIT.done;
}

function requireKey(key: VerifierKey | undefined, { keyLost }: Ledgers): void {
  if (key !== undefined) return;
  throw (
    keyLost ??
    new CliError({
      code: 'NOT_THERE',
      message:
        "Expected the ledgers' key, found none here; it is where the auditor runs. Of a new cluster `residency audit key generate` makes it.",
      remedy: 'stop',
    })
  );
}
