import { Deployment } from '../../running-deployment/deployment.ts';
import type { DeploymentOptions } from '../../running-deployment/deployment.ts';
import { openStack } from '../../stack/index.ts';
import type { OwnStack, OwnStackOptions } from '../../stack/index.ts';

/** Runs `work` on a deployment of its own, on servers of its own, which are removed afterwards. */
export async function onDeployment<T>(
  servers: Pick<OwnStackOptions, 'brokers' | 'longRunning'>,
  options: DeploymentOptions,
  work: (stack: OwnStack, deployment: Deployment) => Promise<T>,
): Promise<T> {
  const stack = await openStack({ ...servers, sites: true, redis: true });
  try {
    const deployment = await Deployment.open(stack, options);
    try {
      return await work(stack, deployment);
    } finally {
      await deployment.close();
    }
  } finally {
    await stack.close();
  }
}
