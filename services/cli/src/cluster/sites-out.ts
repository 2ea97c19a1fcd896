import { readNow } from '@residency/adapter-kafka';
import { codeOf } from '@residency/coded-error';
import { readConfiguration } from '@residency/configuration';
import { TOPICS, sitesOut } from '@residency/contracts';
import { interruptionOf } from '../terminal/session.ts';
import type { Session } from '../terminal/session.ts';
import { Cluster, diagnosticsOf } from './cluster.ts';
import type { ConfigFile } from './config-file.ts';

/**
 * The sites that are out of service. Empty if the settings name no cluster, or its control log cannot
 * be read; a note says the latter.
 */
export async function readSitesOut(
  session: Session,
  file: ConfigFile,
): Promise<ReadonlySet<string>> {
  if (readConfiguration(['kafka'], file).configuration === undefined) return new Set();
  const cluster = new Cluster(file, diagnosticsOf(session));
  try {
    const log = await cluster.log();
    const signal = interruptionOf(session);
    return sitesOut(await readNow(log, TOPICS.control, log.controlView(), signal));
  } catch (error) {
    if (codeOf(error) === undefined || codeOf(error) === 'INTERRUPTED') throw error;
    session.output.note(
      `Every site is asked, also one that is out of service, because the control log cannot be read (${codeOf(error)}).`,
    );
    return new Set();
  } finally {
    await cluster.close();
  }
}
