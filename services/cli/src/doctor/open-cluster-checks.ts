import { diagnosticsOf } from '../cluster/cluster.ts';
import { readConfigFile } from '../config-file.ts';
import type { Session } from '../session.ts';
import { clusterChecks } from './cluster-checks.ts';
import { clusterParts } from './cluster-parts.ts';
import type { Terms } from './part.ts';
import type { Check } from './run-checks.ts';

/** Of the cluster that the file at `path` and the environment describe. Nothing is connected before a check looks. */
export async function openClusterChecks(
  session: Session,
  path: string,
  terms: Terms,
): Promise<{ readonly checks: readonly Check[]; close(): Promise<void> }> {
  const deps = {
    session,
    terms,
    file: await readConfigFile(session, path),
    diagnostics: diagnosticsOf(session),
  };
  const parts = clusterParts(deps);
  return { checks: clusterChecks(deps, parts), close: parts.close };
}
