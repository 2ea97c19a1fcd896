import { setTimeout as sleep } from 'node:timers/promises';
import { eventually } from '@residency/testkit';
import type { ServiceProcess } from '../../running-deployment/service-process.ts';

/** Resolves once `/readyz` reports that the service waits for this code, at any position. */
export async function waitingFor(service: ServiceProcess, code: string): Promise<void> {
  await eventually(async () => {
    const { ready, checks } = await service.readiness();
    if (
      !ready &&
      checks.some(
        ({ detail }) =>
          detail === `waits: ${code}` || detail?.startsWith(`waits: ${code} at `) === true,
      )
    )
      return true;
    await sleep(50);
    return undefined;
  }).catch((cause: unknown) => {
    throw new Error(
      `Expected ${service.name} to say that it waits for ${code}, found that it does not:\n${service.output}`,
      { cause },
    );
  });
}
