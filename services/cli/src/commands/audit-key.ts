import { formatVerifierKey } from '@residency/ledger';
import type { VerifierKey } from '@residency/ledger';
import type { Command } from 'commander';
import { CliError } from '../cli-error.ts';
import { answering, describe, group } from '../command.ts';
import type { Answer, Common } from '../command.ts';
import { EXIT } from '../exit-code.ts';
import type { ExitCode } from '../exit-code.ts';
import type { Ledgers } from '../ledgers.ts';
import type { Session } from '../session.ts';
import { withSystem } from '../with-system.ts';

export function auditKeyCommand(audit: Command, session: Session, answer: Answer): void {
  const key = group(audit, 'key', "The key that signs the ledgers' checkpoints.", [
    'audit key show',
  ]);
  describe(
    key,
    'show',
    "The verifier key of each partition's ledger: what outsiders need. Give it to them by a way that they trust.",
    ['audit key show', 'audit key show --json'],
  ).action(
    answering(answer, (options: Common) =>
      withSystem(session, options, async (system) =>
        show(session, options, await system.ledgers()),
      ),
    ),
  );
  describe(
    key,
    'generate',
    'Make the secret key, where there is none, and show what verifies it. Back it up: without it the ledgers can not grow.',
    ['audit key generate', 'audit key generate --config cluster.env'],
  ).action(
    answering(answer, (options: Common) =>
      withSystem(session, options, async (system) => {
        const ledgers = await system.ledgers();
        await ledgers.makeKey();
        return await show(session, options, ledgers);
      }),
    ),
  );
}

async function show({ output }: Session, { json }: Common, ledgers: Ledgers): Promise<ExitCode> {
  for (const partition of ledgers.partitions) {
    const key = demand(await ledgers.verifierKey(partition));
    await (json
      ? output.json({ partition, origin: key.name, key: formatVerifierKey(key) })
      : output.line(formatVerifierKey(key)));
  }
  return EXIT.done;
}

function demand(key: VerifierKey | undefined): VerifierKey {
  if (key === undefined)
    throw new CliError({
      code: 'NOT_THERE',
      message:
        "Expected the ledgers' key, found none yet; `residency audit key generate` makes it.",
      remedy: 'stop',
    });
  return key;
}
