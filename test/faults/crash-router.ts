import { openDataDirectory } from '@residency/standalone';
import { routeAround } from './ports.ts';
import type { Around, PortCall } from './ports.ts';

// A router that kills its own process: `crash-router.ts <data directory> <port> <nth>
// <before|after>`.
const [, , directory = '', port = '', nth = '', when = ''] = process.argv;

/**
 * No handler runs, nothing is flushed, no thread finishes: as in a power failure of this process.
 */
async function dieAt(call: PortCall, now: string): Promise<void> {
  if (call.port !== port || call.nth !== Number(nth) || now !== when) return;
  process.kill(process.pid, 'SIGKILL');
  await new Promise<never>(() => undefined);
}

const deadly: Around = {
  call: async (call, work) => {
    await dieAt(call, 'before');
    const result = await work();
    await dieAt(call, 'after');
    return result;
  },
  beforeSettle: (call) => dieAt(call, 'before'),
  afterSettle: (call) => dieAt(call, 'after'),
};

const data = await openDataDirectory(directory);
await routeAround(data, deadly);
await data.close();
