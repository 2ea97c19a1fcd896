import {
  TOPICS,
  decodeAuditEvent,
  decodeQuarantinePointer,
  formatPosition,
} from '@residency/contracts';
import type { AuditEvent, LogRecord, Topic } from '@residency/contracts';
import type { Deployment } from '../../running-deployment/deployment.ts';

/**
 * Returns all faults of a deployment, each as a sentence. Every fault test ends with it. Each
 * record of the intake log must have exactly one audit event with the right outcome, in a chain
 * without gaps; each quarantined one must have its pointer; and `residency reconcile --open` must
 * find nothing.
 */
export async function judgeDeployment(
  deployment: Deployment,
  expected: ReadonlyMap<string, string | undefined>,
): Promise<readonly string[]> {
  return [...(await judgeLogs(deployment, expected)), ...(await reconcileOpening(deployment))];
}

/** The reconciler's differences as text. */
export async function reconcileOpening(deployment: Deployment): Promise<readonly string[]> {
  const { code, stdout, stderr } = await deployment.residency(
    'reconcile',
    '--open',
    '--allow-also-in',
  );
  return code === 0 ? [] : [`reconcile ended with ${String(code)}:\n${stdout}${stderr}`];
}

/** Like `judgeDeployment`, for the topics alone. */
export async function judgeLogs(
  deployment: Deployment,
  expected: ReadonlyMap<string, string | undefined>,
): Promise<readonly string[]> {
  const intake = (await all(deployment, TOPICS.samples)).map((record) =>
    positionOf(deployment, record),
  );
  const events = (await all(deployment, TOPICS.audit)).map(({ value, partition }) => ({
    event: decodeAuditEvent(value ?? Buffer.alloc(0)),
    partition,
  }));
  const pointers = (await all(deployment, TOPICS.quarantine)).map(
    ({ value }) => decodeQuarantinePointer(value ?? Buffer.alloc(0)).position,
  );
  const settled = Map.groupBy(
    events.map(({ event }) => event),
    ({ position }) => formatPosition(position),
  );
  return [
    ...[...expected.keys()]
      .filter((position) => !intake.includes(position))
      .map((position) => `${position} was acknowledged and is not in the intake log`),
    ...intake.flatMap((position) =>
      outcomeFaults(position, settled.get(position) ?? [], expected.get(position)),
    ),
    ...[...settled.keys()]
      .filter((position) => !intake.includes(position))
      .map((position) => `${position} has an audit event and is not in the intake log`),
    ...pointerFaults(
      pointers,
      [...settled]
        .filter(([, [event]]) => event?.outcome === 'quarantined')
        .map(([position]) => position),
    ),
    ...[...Map.groupBy(events, ({ partition }) => partition)].flatMap(([partition, some]) =>
      chainFaults(
        partition,
        some.map(({ event }) => event),
      ),
    ),
  ];
}

async function all(deployment: Deployment, topic: Topic): Promise<readonly LogRecord[]> {
  return await Array.fromAsync(deployment.log.read(topic, { until: 'end' }));
}

function positionOf({ log }: Deployment, { topic, partition, offset }: LogRecord): string {
  return formatPosition({ log: log.name, topic, partition, offset });
}

function outcomeFaults(
  position: string,
  events: readonly AuditEvent[],
  must: string | undefined,
): readonly string[] {
  const [event] = events;
  if (event === undefined || events.length > 1)
    return [`${position} has ${events.length} audit events`];
  const found = said(event);
  return must === undefined || found === must
    ? []
    : [`${position} must be ${must}, found ${found}`];
}

function said({ outcome, data }: AuditEvent): string {
  if (outcome === 'duplicate') return outcome;
  return `${outcome} ${'reason' in data ? data.reason : data.decision.region}`;
}

function pointerFaults(
  pointers: readonly string[],
  quarantined: readonly string[],
): readonly string[] {
  const found = pointers.toSorted().join(' ');
  const must = quarantined.toSorted().join(' ');
  return found === must ? [] : [`the quarantine must point at ${must}, found ${found}`];
}

/** Events must be in the order of their records, and each must name the one before it. */
function chainFaults(partition: number, events: readonly AuditEvent[]): readonly string[] {
  return events.flatMap(({ position, data: { previous } }, index) => {
    const must = events[index - 1]?.position.offset.toString() ?? null;
    if (position.partition !== partition)
      return [`${formatPosition(position)} stands in audit partition ${partition}`];
    return previous === must
      ? []
      : [
          `${formatPosition(position)} names ${String(previous)} as the one before it, not ${String(must)}`,
        ];
  });
}
