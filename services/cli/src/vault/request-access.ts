import { randomBytes } from 'node:crypto';
import type { Common } from '../terminal/command.ts';
import type { ExitCode } from '../terminal/exit-code.ts';
import type { Session } from '../terminal/session.ts';
import { newAccessId } from './access-id.ts';
import { reportState } from './report-state.ts';
import { openVault } from './vault-client.ts';
import { requireReference } from './vault-options.ts';
import type { OrderOptions, VaultOptions } from './vault-options.ts';

type Options = Common &
  VaultOptions &
  OrderOptions & { readonly of?: string; readonly access?: string };

/** Asks for a sample, and says whether others must approve. */
export async function requestAccess(
  session: Session,
  options: Options,
  submission: string,
): Promise<ExitCode> {
  const { purpose, reference, form, of } = options;
  requireReference(reference);
  const client = await openVault(session, options);
  const access = options.access ?? newAccessId(session.now(), randomBytes(10));
  const order = { submission, purpose, reference, form, ...(of === undefined ? {} : { of }) };
  return await reportState(session, options, {
    access,
    answer: await client.request(access, order),
  });
}
