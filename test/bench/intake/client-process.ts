import { randomBytes } from 'node:crypto';
import { Agent, request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { SUBMITTED } from '@residency/contracts';
import { endWithParent, letGo, sendToParent } from '../stack/parent.ts';
import type { ClientOrder, ClientReport } from './orders.ts';

// Publishes at a steady rate, whether the answers keep up or not: a late answer counts from the
// time at which its submission was due.
const SOCKETS = 256;
const TICK_MS = 5;

const [, , text = ''] = process.argv;
const { url, perSecond, warmUpSeconds, seconds, bytes, first }: ClientOrder = JSON.parse(text);
endWithParent();
const agent = new Agent({ keepAlive: true, maxSockets: SOCKETS });
// The bytes do not compress, and no two samples are alike.
const pool = randomBytes(bytes + perSecond * (warmUpSeconds + seconds));

function post(nth: number): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  request(
    url,
    {
      method: 'POST',
      agent,
      headers: {
        'content-type': 'application/octet-stream',
        'content-length': bytes,
        'ce-specversion': '1.0',
        'ce-id': `bench-${first + nth}`,
        'ce-source': 'urn:residency:bench',
        'ce-type': SUBMITTED,
        'ce-usercountry': 'CH',
        'ce-consentid': 'bench-consent-01',
        'ce-verdict': 'suspicious',
        'ce-partitionkey': `bench-${first + nth}`,
      },
    },
    (answer) => {
      answer
        .resume()
        .once('end', () => {
          resolve(answer.statusCode ?? 0);
        })
        .once('error', reject);
    },
  )
    .once('error', reject)
    .end(pool.subarray(nth, nth + bytes));
  return promise;
}

const due = (nth: number): number => start + (nth * 1_000) / perSecond;
const count = Math.floor(perSecond * (warmUpSeconds + seconds));
const late: number[] = [];
let refused = 0;
const sent: Promise<void>[] = [];
const start = performance.now();
for (let nth = 0; nth < count;) {
  for (; nth < count && due(nth) <= performance.now(); nth += 1) {
    const [one, was] = [nth, due(nth)];
    sent.push(
      post(one).then((status) => {
        if (status !== 202) refused += 1;
        else if (one >= perSecond * warmUpSeconds) late.push(performance.now() - was);
      }),
    );
  }
  await sleep(TICK_MS);
}
await Promise.all(sent);
agent.destroy();
late.sort((a, b) => a - b);
const at = (share: number): number => late[Math.floor((late.length - 1) * share)] ?? 0;
sendToParent({
  accepted: late.length,
  refused,
  p50: at(0.5),
  p99: at(0.99),
  longest: at(1),
} satisfies ClientReport);
await letGo();
