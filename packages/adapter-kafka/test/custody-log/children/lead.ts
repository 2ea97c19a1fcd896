// Leads until SIGTERM: whenever it is the active custodian, it goes on with the chain where the log
// ends. Says what it does, one JSON array a line.
import { setTimeout as sleep } from 'node:timers/promises';
import { decodeCustodyEvent } from '@residency/contracts';
import type { CustodyLog } from '@residency/custodianship';
import { someCustodyEvent } from '@residency/testkit';
import { openKafkaLog } from '../../../src/kafka-log.ts';
import type { CustodianPlan } from '../some-custodian.ts';

const { settings, options, paceMs } = JSON.parse(process.argv[2] ?? '') as CustodianPlan;
const say = (...what: readonly unknown[]): void => {
  process.stdout.write(`${JSON.stringify(what)}\n`);
};
const quiet = (): void => {
  /* Its lines say it. */
};

const stop = new AbortController();
process.once('SIGTERM', () => {
  stop.abort();
});

async function goOn(custody: CustodyLog, signal: AbortSignal): Promise<void> {
  let next = 0;
  for await (const { value } of custody.read()) next = decodeCustodyEvent(value).sequence + 1;
  say('leads', next);
  while (!signal.aborted) {
    await custody.append([someCustodyEvent(next), someCustodyEvent(next + 1)]);
    next += 2;
    say('appended', next);
    await sleep(paceMs);
  }
  say('over');
}

const log = await openKafkaLog(settings, { debug: quiet, info: quiet, warn: quiet, error: quiet });
await log.custodian('zurich', options).lead(goOn, {
  signal: stop.signal,
  waits: ({ code }) => {
    say('waits', code);
  },
});
await log.close();
process.stdin.destroy();
say('end');
