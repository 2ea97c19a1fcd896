import type { ServiceProcess } from '../../running-deployment/service-process.ts';
import type { Workload } from '../workload.ts';
import type { Stand } from './stand.ts';

const WARM_UP = 60;

/** A router that owns all partitions and has settled some samples of each. */
export async function withWarmRouter<T>(
  stand: Stand,
  workload: Workload,
  work: (router: ServiceProcess) => Promise<T>,
): Promise<T> {
  const router = await stand.deployment.launch('router');
  try {
    await stand.publish({ ...workload, count: WARM_UP });
    await router.ready();
    await stand.settled([router]);
    return await work(router);
  } finally {
    await router.stop();
  }
}
