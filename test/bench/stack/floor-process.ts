import { TOPICS } from '@residency/contracts';
import { REGIONS } from '../workload.ts';
import type { Workload } from '../workload.ts';
import { Floor } from './floor.ts';
import type { FloorOrder } from './orders.ts';
import { endWithParent, sendToParent } from './parent.ts';
import { openLog, settingsOfEnvironment } from './settings.ts';

const [, , text = ''] = process.argv;
const { region }: Workload = JSON.parse(text);
endWithParent();
const settings = settingsOfEnvironment();
const floor = new Floor(
  settings.sites
    .filter(({ site }) => REGIONS[region].sites.some((name) => name === site))
    .map(({ endpoint = '', bucket }) => `${endpoint}/${bucket}`),
);
const log = openLog(settings);

async function readFrom({ from }: FloorOrder): Promise<void> {
  const count = await floor.store(
    (await log).read(TOPICS.samples, {
      from: new Map(from.map(([partition, offset]) => [partition, BigInt(offset)])),
      until: 'end',
    }),
  );
  sendToParent({ doneAt: Date.now(), count });
}

// One order at a time. A rejection ends this process with its message.
process.on('message', (order: FloorOrder) => void readFrom(order));
