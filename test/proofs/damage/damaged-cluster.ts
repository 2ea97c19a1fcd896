import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Deployment } from '../../running-deployment/deployment.ts';
import type { OwnStack, TestSite } from '../../stack/index.ts';
import { addVerdict } from '../cluster/cluster-verdict.ts';
import { custodyRows } from '../cluster/custody-rows.ts';
import { Fleet, PAID_WITHIN_MS } from '../cluster/fleet.ts';
import { intakeAndAudit } from '../cluster/cluster-evidence.ts';
import { onDeployment } from '../cluster/on-deployment.ts';
import { trafficConsents } from '../traffic.ts';
import type { DamageWorld } from './damage-world.ts';

const AFTER_CONSENT_MS = 2_000;
/**
 * A later site that is slow on a busy machine would be a second fault: of two records of an identity
 * whose object the arbiter lost, both may be stored then (docs/decisions/0036).
 */
const PATIENCE_MS = '300000';

/** Kafka, Redis and S3Proxy, with two routers, a projector and the custodian. */
export async function onCluster<T>(
  { longRunning, note }: { readonly longRunning: boolean; readonly note: (line: string) => void },
  work: (world: DamageWorld) => Promise<T>,
): Promise<T> {
  return await onDeployment(
    { brokers: 1, longRunning },
    { partitions: 4, env: { RESIDENCY_SITE_PATIENCE_MS: PATIENCE_MS } },
    async (stack, deployment) => {
      const fleet = new Fleet(deployment);
      await deployment.log.append(trafficConsents());
      await fleet.open(2);
      await sleep(AFTER_CONSENT_MS);
      return await work(worldOf(stack, deployment, fleet, note));
    },
  );
}

function worldOf(
  stack: OwnStack,
  deployment: Deployment,
  fleet: Fleet,
  note: (line: string) => void,
): DamageWorld {
  const { brokers } = stack.kafka;
  return {
    append: (entries) => deployment.log.append(entries),
    waiting: async () => {
      await fleet.watch();
      return [...(await deployment.log.lag()).values()].reduce((sum, lag) => sum + Number(lag), 0);
    },
    paid: async () => {
      if (!(await fleet.untilPaid(AbortSignal.timeout(PAID_WITHIN_MS))))
        throw new Error(
          `Expected every copy to be made, found some owed:\n${await fleet.describe()}`,
        );
    },
    root: (site) => join(stack.folder, site, deployment.buckets[site as TestSite]),
    place: (id) => `samples/${id.slice(0, 2)}/${id.slice(2, 4)}/${id}`,
    residency: (...args) => deployment.residency(...args),
    reconcileAutomatically: async () => {
      const reconciler = await deployment.start('reconciler', {
        RESIDENCY_REPAIR: 'auto',
        RESIDENCY_RECONCILER_PAUSE_MS: '20000',
      });
      return async () => {
        const code = await reconciler.stop();
        if (code !== 0)
          fleet.findings.push(`the reconciler ended with ${String(code)}: ${reconciler.output}`);
      };
    },
    logs: () => intakeAndAudit(brokers, deployment),
    custody: () => custodyRows(deployment, brokers, 'zurich'),
    describe: () => fleet.describe(),
    judge: async (traffic, tally, seed) => {
      await fleet.close();
      await addVerdict({ seed, stack, deployment, traffic, fleet, note }, tally);
    },
  };
}
