import type { Common } from '../terminal/command.ts';
import type { ExitCode } from '../terminal/exit-code.ts';
import type { Session } from '../terminal/session.ts';
import { reportState } from './report-state.ts';
import { openVault } from './vault-client.ts';
import type { VaultOptions } from './vault-options.ts';

export async function approveAccess(
  session: Session,
  options: Common & VaultOptions,
  access: string,
): Promise<ExitCode> {
  const client = await openVault(session, options);
  return await reportState(session, options, { access, answer: await client.approve(access) });
}
