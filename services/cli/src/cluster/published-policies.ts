import { readConfiguration } from '@residency/configuration';
import { publishedPolicies as publishedOn } from '@residency/adapter-kafka';
import type { KafkaLog } from '@residency/adapter-kafka';
import { codeOf } from '@residency/coded-error';
import { validPolicies } from '@residency/residency';
import type { PolicyPublished } from '@residency/residency';
import type { ConfigFile } from './config-file.ts';
import { firstPolicy } from '../system/first-policy.ts';
import { interruptionOf } from '../terminal/session.ts';
import type { Session } from '../terminal/session.ts';
import { Cluster, diagnosticsOf } from './cluster.ts';

/** Every version on the policy log, valid or not. */
export async function policiesOn(
  session: Session,
  log: KafkaLog,
): Promise<readonly PolicyPublished[]> {
  return await publishedOn(log, interruptionOf(session));
}

/**
 * The valid versions of the log. If it cannot be read or has none, the first known version and a
 * note that says so.
 */
export async function publishedPolicies(
  session: Session,
  file: ConfigFile,
): Promise<readonly PolicyPublished[]> {
  const said = (why: string): void => {
    session.output.note(`Sites are compared with the first policy, because ${why}.`);
  };
  if (readConfiguration(['kafka'], file).configuration === undefined)
    said('the settings of Kafka are wrong');
  else {
    const cluster = new Cluster(file, diagnosticsOf(session));
    try {
      const valid = validPolicies(await policiesOn(session, await cluster.log()));
      if (valid.length > 0) return valid;
      said('none is published');
    } catch (error) {
      if (codeOf(error) === undefined || codeOf(error) === 'INTERRUPTED') throw error;
      said(`the log can not be read (${codeOf(error)})`);
    } finally {
      await cluster.close();
    }
  }
  return [await firstPolicy(session.now)];
}
