import {
  SITE_MARKER_KEY,
  TOPICS,
  decodeAuditEvent,
  encodeSiteMarker,
  objectKey,
} from '@residency/contracts';
import { alterTopic, deleteRecords } from '../../faults/cluster/kafka-request.ts';
import { signedRequest } from '../../stack/index.ts';
import type { TestSite } from '../../stack/index.ts';
import type { AlertWorld } from './alert-world.ts';
import type { Expected } from './alert-watch.ts';
import { sampleFrom } from './steady-flow.ts';

const MINUTES = 60_000;
const WEEK_MS = '604800000';

export interface AlertFault {
  readonly name: string;
  readonly cause: (world: AlertWorld) => Promise<void>;
  /** Absent: the fault cannot be undone here. */
  readonly mend?: (world: AlertWorld) => Promise<void>;
  /** Alerts that must fire during the fault, and the cause that their runbook must find. */
  readonly alerts: readonly { readonly alert: Expected; readonly finds?: string }[];
  readonly fireWithinMs: number;
  /** Alerts that must fire after the repair, such as those about late records. */
  readonly afterwards?: readonly Expected[];
  /** How long to wait for the alerts to clear; 0: not at all, for the reason in `notWaited`. */
  readonly clearWithinMs: number;
  readonly notWaited?: string;
}

/** Caused one after the other; each is repaired before the next. */
export const FAULTS: readonly AlertFault[] = [
  {
    name: 'an object copied to the other region by hand',
    cause: async (world) => {
      await copyAcross(world);
    },
    mend: async (world) => {
      await removeCopies(world);
    },
    alerts: [{ alert: { alertname: 'ResidencyViolation', site: 'mow-1' }, finds: 'copied' }],
    fireWithinMs: 2 * MINUTES,
    clearWithinMs: 20 * MINUTES,
  },
  {
    name: 'site zrh-1 stopped',
    cause: async ({ stack }) => {
      await stack.servers.sites['zrh-1'].kill();
    },
    mend: async ({ stack }) => {
      await stack.servers.sites['zrh-1'].start();
    },
    alerts: [
      { alert: { alertname: 'ResidencySiteUnwritable', site: 'zrh-1' }, finds: 'site-away' },
      { alert: { alertname: 'ResidencyNoProgress' }, finds: 'site-away' },
    ],
    fireWithinMs: 5 * MINUTES,
    afterwards: [{ alertname: 'ResidencyOutcomeSlow', window: '1h' }],
    clearWithinMs: 12 * MINUTES,
  },
  {
    name: 'Redis stopped',
    cause: async ({ stack }) => {
      await stack.servers.redis.kill();
    },
    mend: async ({ stack }) => {
      await stack.servers.redis.start();
    },
    alerts: [
      { alert: { alertname: 'ResidencyViewStale', view: 'consent' }, finds: 'redis-away' },
      { alert: { alertname: 'ResidencyExporterBlind', source: 'redis' }, finds: 'redis-away' },
    ],
    fireWithinMs: 5 * MINUTES,
    clearWithinMs: 5 * MINUTES,
  },
  {
    name: 'the consent projector stopped',
    cause: async (world) => {
      await world.service('consent-projector').stop();
    },
    mend: async (world) => {
      await world.start('consent-projector');
    },
    alerts: [
      { alert: { alertname: 'ResidencyViewStale', view: 'policy' }, finds: 'projector-down' },
      { alert: { alertname: 'ResidencyServiceDown', job: 'consent-projector' }, finds: 'ended' },
    ],
    fireWithinMs: 4 * MINUTES,
    clearWithinMs: 5 * MINUTES,
  },
  {
    name: "zrh-1's bucket is another site's, and routers start anew",
    cause: async (world) => {
      await mark(world, 'zrh-1', 'zrh-2');
      await world.service('router').stop();
      await world.launch('router');
    },
    mend: async (world) => {
      await mark(world, 'zrh-1', 'zrh-1');
      await world.start('router');
      // It stops at a wrong marker too.
      await world.service('custodian').stop();
      await world.start('custodian');
    },
    alerts: [
      { alert: { alertname: 'ResidencyServiceDown', job: 'router' }, finds: 'wrong-bucket' },
      { alert: { alertname: 'ResidencyNoProgress' } },
    ],
    fireWithinMs: 5 * MINUTES,
    clearWithinMs: 5 * MINUTES,
  },
  {
    name: 'the router frozen',
    cause: async (world) => {
      await Promise.resolve(world.service('router').signal('SIGSTOP'));
    },
    mend: async (world) => {
      await Promise.resolve(world.service('router').signal('SIGCONT'));
    },
    alerts: [
      { alert: { alertname: 'ResidencyNoProgress' }, finds: 'frozen' },
      { alert: { alertname: 'ResidencyServiceDown', job: 'router' }, finds: 'frozen' },
    ],
    fireWithinMs: 5 * MINUTES,
    clearWithinMs: 5 * MINUTES,
  },
  {
    name: 'thirty records from a country that does not exist',
    cause: async ({ deployment }) => {
      for (let sent = 0; sent < 30; sent += 1) await deployment.log.append([sampleFrom('EU')]);
    },
    alerts: [{ alert: { alertname: 'ResidencyQuarantineGrowing' }, finds: 'country' }],
    fireWithinMs: 4 * MINUTES,
    clearWithinMs: 0,
    notWaited: 'clears 30 min after the last such record',
  },
  {
    name: "the intake log's retention cut to three minutes",
    cause: async ({ deployment }) => {
      await alterTopic(
        deployment.kafka.brokers,
        `${deployment.kafka.topicPrefix}${TOPICS.samples}`,
        'retention.ms',
        '180000',
      );
    },
    mend: async ({ deployment }) => {
      await alterTopic(
        deployment.kafka.brokers,
        `${deployment.kafka.topicPrefix}${TOPICS.samples}`,
        'retention.ms',
        WEEK_MS,
      );
    },
    alerts: [{ alert: { alertname: 'ResidencyQuarantineExpiring' }, finds: 'retention' }],
    fireWithinMs: 10 * MINUTES,
    clearWithinMs: 3 * MINUTES,
  },
  {
    name: 'a record that is no event in the audit log',
    cause: async ({ deployment }) => {
      await deployment.log.append([
        { topic: TOPICS.audit, record: { key: null, headers: [], value: Buffer.from('by hand') } },
      ]);
    },
    alerts: [
      {
        alert: { alertname: 'ResidencyAuditBroken', kind: 'UNDECODABLE' },
        finds: 'written-by-hand',
      },
    ],
    fireWithinMs: 3 * MINUTES,
    clearWithinMs: 0,
    notWaited: 'clears 15 min after the last finding; the event stays in the ledger',
  },
];

/** Lasts throughout the others, because its alert takes so long. */
export const SLOW_FAULTS: readonly AlertFault[] = [
  {
    name: 'drained and not resumed',
    cause: async ({ deployment }) => {
      await deployment.residency('drain', '--reason', 'proof', '--timeout', '60');
    },
    mend: async ({ deployment }) => {
      await deployment.residency('resume');
    },
    alerts: [{ alert: { alertname: 'ResidencyPaused' }, finds: 'draining' }],
    fireWithinMs: 40 * MINUTES,
    clearWithinMs: 2 * MINUTES,
  },
  {
    name: 'the reconciler stopped',
    cause: async (world) => {
      await world.service('reconciler').stop();
    },
    mend: async (world) => {
      await world.start('reconciler');
    },
    alerts: [
      { alert: { alertname: 'ResidencyServiceDown', job: 'reconciler' } },
      { alert: { alertname: 'ResidencyReconciliationStale' }, finds: 'reconciler-down' },
    ],
    fireWithinMs: 45 * MINUTES,
    clearWithinMs: 10 * MINUTES,
  },
  {
    name: 'the auditor stopped',
    cause: async (world) => {
      await world.service('auditor').stop();
    },
    mend: async (world) => {
      await world.start('auditor');
    },
    alerts: [
      { alert: { alertname: 'ResidencyServiceDown', job: 'auditor' } },
      { alert: { alertname: 'ResidencyCheckpointStale' }, finds: 'auditor-down' },
    ],
    fireWithinMs: 12 * MINUTES,
    clearWithinMs: 5 * MINUTES,
  },
];

/** Nothing is settled after it. */
export const LAST_FAULT: AlertFault = {
  name: 'records of the intake log deleted unsettled',
  cause: async (world) => {
    const { deployment } = world;
    await world.service('router').stop();
    const [position] = await deployment.log.append([sampleFrom('CH')]);
    if (position === undefined) throw new Error('Expected a position.');
    await deleteRecords(
      deployment.kafka.brokers,
      `${deployment.kafka.topicPrefix}${TOPICS.samples}`,
      position.partition,
      position.offset + 1n,
    );
    await world.launch('router');
  },
  alerts: [{ alert: { alertname: 'ResidencyProgressLost' }, finds: 'deleted' }],
  fireWithinMs: 4 * MINUTES,
  clearWithinMs: 0,
  notWaited: 'the deleted records are lost; the runbook says what a person must decide',
};

/** Copies the first stored sample of Zurich, with its metadata, to the other region. */
async function copyAcross({ deployment, stack }: AlertWorld): Promise<void> {
  const key = await storedInZurich(deployment);
  const from = await at(deployment, stack, 'zrh-1', 'GET', key);
  const metadata = Object.fromEntries(
    Object.entries(from.headers).filter(
      ([name, value]) => name.startsWith('x-amz-meta-') && typeof value === 'string',
    ),
  ) as Record<string, string>;
  const put = await at(deployment, stack, 'mow-1', 'PUT', key, metadata, from.body);
  if (from.status !== 200 || put.status !== 200)
    throw new Error(`Expected to copy an object, found ${from.status} and ${put.status}.`);
}

async function removeCopies({ deployment, stack }: AlertWorld): Promise<void> {
  await at(deployment, stack, 'mow-1', 'DELETE', await storedInZurich(deployment));
}

async function storedInZurich({ log }: AlertWorld['deployment']): Promise<string> {
  for await (const { value } of log.read(TOPICS.audit, { until: 'end' })) {
    const event = decodeAuditEvent(value ?? Buffer.alloc(0));
    if (event.outcome === 'stored' && event.data.decision.region === 'zurich')
      return objectKey(event.data.submission);
  }
  throw new Error('Expected a stored sample in Zurich, found none yet.');
}

async function at(
  { buckets }: AlertWorld['deployment'],
  { sites }: AlertWorld['stack'],
  site: TestSite,
  method: string,
  key: string,
  headers: Readonly<Record<string, string>> = {},
  body: Uint8Array = Buffer.alloc(0),
): ReturnType<typeof signedRequest> {
  return await signedRequest({
    ...sites[site],
    method,
    path: `/${buckets[site]}/${key}`,
    headers,
    body,
  });
}

/** Replaces the marker in the bucket of `site` by that of `as`. */
async function mark(
  { deployment, stack }: AlertWorld,
  site: TestSite,
  as: TestSite,
): Promise<void> {
  const { status } = await at(
    deployment,
    stack,
    site,
    'PUT',
    SITE_MARKER_KEY,
    { 'content-type': 'application/json' },
    encodeSiteMarker({ region: 'zurich', site: as }),
  );
  if (status !== 200) throw new Error(`Expected to put a marker, found ${status}.`);
}
