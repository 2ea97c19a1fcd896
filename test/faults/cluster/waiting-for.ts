import { setTimeout as sleep } from 'node:timers/promises';
import { eventually } from '@residency/testkit';
import type { ServiceProcess } from '../../deployment/service-process.ts';

const WITHIN_MS = 60_000;

/** Resolves once `/readyz` says that the service waits for this. */
export async function waitingFor(service: ServiceProcess, code: string): Promise<void> {
  await eventually(async () => {
    const { ready, checks } = await service.readiness();
    if (!ready && checks.some(({ detail }) => detail === `waits: ${code}`)) return true;
    await sleep(50);
    return undefined;
  }, WITHIN_MS).catch((cause: unknown) => {
    throw new Error(
      `Expected ${service.name} to say that it waits for ${code}, found that it does not:\n${service.output}`,
      { cause },
    );
  });
}
