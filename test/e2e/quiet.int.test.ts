import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { SUBMITTED, TOPICS, formatPosition, submissionEntry } from '@residency/contracts';
import type { LogEntry } from '@residency/contracts';
import { eventually } from '@residency/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Deployment } from '../running-deployment/deployment.ts';
import type { ServiceName, ServiceProcess } from '../running-deployment/service-process.ts';
import { GIVEN, Traffic, trafficConsents } from '../proofs/traffic.ts';
import { openStack } from '../stack/index.ts';
import type { OwnStack } from '../stack/index.ts';

const SERVICES: readonly ServiceName[] = [
  'consent-projector',
  'auditor',
  'exporter',
  'reconciler',
  'intake',
  'router',
];
const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
let stack: OwnStack;
let deployment: Deployment;
const services = new Map<ServiceName, ServiceProcess>();

beforeAll(async () => {
  stack = await openStack({ brokers: 1, sites: true, redis: true });
  deployment = await Deployment.open(stack);
  for (const name of SERVICES) services.set(name, await deployment.start(name));
});
afterAll(async () => {
  await deployment.close();
  await stack.close();
});

const settled = async (): Promise<boolean | undefined> =>
  [...(await deployment.log.lag()).values()].every((lag) => lag === 0n) ? true : undefined;

/** Lines since the last check, of all services together. */
const seen = new Map<ServiceName, number>();
function lines(): readonly Readonly<Record<string, unknown>>[] {
  return [...services].flatMap(([name, { output }]) => {
    const from = seen.get(name) ?? 0;
    seen.set(name, output.length);
    return output
      .slice(from)
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => ({ service: name, ...(JSON.parse(line) as object) }));
  });
}

test('no service logs a line for good and bad submissions in normal operation', async () => {
  lines();
  await deployment.log.append(trafficConsents());
  await sleep(2_000);
  await deployment.log.append(new Traffic(7, 400, 4_096).entries());
  await eventually(settled);
  // Time for ticks, checkpoints, passes of the reconciler and reads of the exporter.
  await sleep(5_000);
  expect(lines().filter((line) => !late(line))).toEqual([]);
});

/**
 * On a machine so busy that ticks come half a minute late, or a site needs five seconds for an
 * answer, services do wait or leave it out, and must report it.
 */
function late({ msg, error }: Readonly<Record<string, unknown>>): boolean {
  const code = (error as { readonly code?: string } | undefined)?.code ?? '';
  return (
    msg === 'Routing goes on.' ||
    msg === 'The site answers and is used again.' ||
    ['VIEW_BEHIND', 'SITE_TOO_SLOW', 'SOURCE_LATE'].includes(code)
  );
}

function traced(): LogEntry {
  const id = randomUUID();
  return submissionEntry({
    specversion: '1.0',
    id,
    source: 'urn:test:quiet',
    type: SUBMITTED,
    datacontenttype: 'application/octet-stream',
    data: Buffer.from('sample'),
    extensions: {
      usercountry: 'RU',
      consentid: GIVEN,
      verdict: 'suspicious',
      traceparent: `00-${TRACE}-00f067aa0ba902b7-01`,
    },
  });
}

test('an unreachable site causes one line with code, position and trace, and one more when routing continues', async () => {
  await stack.servers.sites['mow-1'].kill();
  const [position] = await deployment.log.append([traced()]);
  if (position === undefined) throw new Error('Expected a position.');
  const router: Readonly<Record<string, unknown>>[] = [];
  await eventually(
    async () =>
      await Promise.resolve(
        router.push(...lines().filter(({ service }) => service === 'router')) > 0
          ? true
          : undefined,
      ),
  );
  await sleep(3_000);
  await stack.servers.sites['mow-1'].start();
  await eventually(settled);
  await eventually(
    async () =>
      await Promise.resolve(
        router.push(...lines().filter(({ service }) => service === 'router')) > 1
          ? true
          : undefined,
      ),
  );
  expect(router).toEqual([
    expect.objectContaining({
      level: 'warn',
      msg: 'Routing waits.',
      position: formatPosition({ ...position, topic: TOPICS.samples }),
      trace: TRACE,
      error: expect.objectContaining({ code: 'SITE_UNREACHABLE', remedy: 'retry' }) as object,
    }),
    expect.objectContaining({
      level: 'info',
      msg: 'Routing goes on.',
      milliseconds: expect.any(Number) as number,
    }),
  ]);
});
