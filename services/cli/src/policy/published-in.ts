import type { PolicyPublished } from '@residency/residency';
import { isAsked } from '../opening/require-data-directory.ts';
import { withSystem } from '../opening/with-system.ts';
import { firstPolicy } from '../system/first-policy.ts';
import type { Common } from '../terminal/command.ts';
import type { Session } from '../terminal/session.ts';

/**
 * Every version published in a system. If none is named and the default data directory is not made
 * yet, the one that it would begin with. Throws `NOT_THERE` for a named one that is not there.
 */
export async function publishedIn(
  session: Session,
  where: Omit<Common, 'json'>,
): Promise<readonly PolicyPublished[]> {
  if (!(await isAsked(where))) return [await firstPolicy(session.now)];
  return await withSystem(session, where, (system) => system.policies());
}
