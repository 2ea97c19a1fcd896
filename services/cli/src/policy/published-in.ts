import type { PolicyPublished } from '@residency/residency';
import { isDataDirectory } from '@residency/standalone/data-directory-marker';
import { firstPolicy } from '../system/first-policy.ts';
import type { Session } from '../terminal/session.ts';
import { withSystem } from '../opening/with-system.ts';
import type { Where } from '../opening/with-system.ts';

/**
 * Every version published in a system; in a data directory that is not made yet, the one it would
 * begin with.
 */
export async function publishedIn(
  session: Session,
  where: Where,
): Promise<readonly PolicyPublished[]> {
  if (where.config === undefined && !(await isDataDirectory(where.data)))
    return [await firstPolicy(session.now)];
  return await withSystem(session, where, (system) => system.policies());
}
