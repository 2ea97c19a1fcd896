import { openStack } from '../stack/index.ts';
import { Deployment, REGIONS } from './deployment.ts';
import type { ServiceName } from './service-process.ts';

// `npm run cluster`: real servers, every service, until Ctrl-C. Nothing of it is left afterwards.
const SERVICES: readonly Exclude<ServiceName, 'custodian'>[] = [
  'consent-projector',
  'intake',
  'router',
  'auditor',
  'reconciler',
  'exporter',
];

const stopped = Promise.withResolvers<void>();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stopped.resolve());

const stack = await openStack({ brokers: 1, sites: true, redis: true });
try {
  const deployment = await Deployment.open(stack);
  try {
    const started = await Promise.all([
      ...SERVICES.map((name) => deployment.start(name)),
      ...REGIONS.map((region) =>
        deployment.start('custodian', { RESIDENCY_CUSTODIAN_REGION: region }),
      ),
    ]);
    for (const { name, url } of started) console.log(`${name.padEnd(18)}${url}`);
    console.log(`\nSettings: ${deployment.folder}/residency.env`);
    console.log(`Try: npx residency doctor --config ${deployment.folder}/residency.env`);
    console.log('Ctrl-C stops everything and removes its data.');
    await stopped.promise;
  } finally {
    await deployment.close();
  }
} finally {
  await stack.close();
}
