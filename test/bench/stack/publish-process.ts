import { setTimeout as sleep } from 'node:timers/promises';
import type { KafkaLog } from '@residency/adapter-kafka';
import type { PublishOrder } from './orders.ts';
import { endWithParent, letGo, sendToParent } from './parent.ts';
import { appendSamples } from './sample-entry.ts';
import { openLog, settingsOfEnvironment } from './settings.ts';

// Publishes while routers run: at a fixed rate, or so that a number of samples always waits.
const PACE_MS = 20;
const LOOK_MS = 200;
const MOST_TOGETHER = 1_000;

const [, , text = ''] = process.argv;
const { samples, seconds, how }: PublishOrder = JSON.parse(text);
endWithParent();

async function append(log: KafkaLog, sent: number, count: number): Promise<void> {
  await appendSamples(log, { ...samples, first: samples.first + sent }, count);
}

/** Appends at a fixed rate, even if the routers do not keep up. */
async function paced(log: KafkaLog, perSecond: number): Promise<number> {
  const [start, count] = [performance.now(), Math.max(1, Math.floor(perSecond * seconds))];
  const appending: Promise<void>[] = [];
  for (let sent = 0; sent < count;) {
    const due =
      Math.min(count, Math.floor(((performance.now() - start) / 1e3) * perSecond) + 1) - sent;
    if (due > 0) appending.push(append(log, sent, due));
    sent += due;
    await sleep(PACE_MS);
  }
  await Promise.all(appending);
  return count;
}

async function ahead(log: KafkaLog, waiting: number): Promise<number> {
  const end = performance.now() + seconds * 1e3;
  let sent = 0;
  while (performance.now() < end) {
    const missing =
      waiting - [...(await log.lag()).values()].reduce((sum, each) => sum + Number(each), 0);
    const count = Math.min(MOST_TOGETHER, missing);
    if (count > 0) await append(log, sent, count);
    else await sleep(LOOK_MS);
    sent += Math.max(0, count);
  }
  return sent;
}

const log = await openLog(settingsOfEnvironment());
const published =
  how.mode === 'paced' ? await paced(log, how.perSecond) : await ahead(log, how.waiting);
await log.close();
sendToParent({ published });
await letGo();
