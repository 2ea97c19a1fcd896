import type { CloudEvent } from '@residency/cloudevents';
import {
  CONSENT_GRANTED,
  CONSENT_WITHDRAWN,
  SUBJECT_LINKED,
  SUBMITTED,
  consentEntry,
  formatPosition,
  subjectLinkEntry,
  submissionEntry,
} from '@residency/contracts';
import type { LogEntry } from '@residency/contracts';
import { usage } from './cli-error.ts';
import type { Common } from './command.ts';
import { openIntake } from './intake-client.ts';
import type { Accepted, IntakeOptions } from './intake-client.ts';
import type { Session } from './session.ts';
import { withSystem } from './with-system.ts';

/** Where events go: a system's log, or a running intake. */
export interface Sink {
  /** Batches worth having on their way at a time. */
  readonly concurrency: number;
  /** Durable once it resolves; all or none but on a cluster. */
  send(events: readonly CloudEvent[]): Promise<readonly Accepted[]>;
}

export async function withSink<T>(
  session: Session,
  options: Common & IntakeOptions,
  work: (sink: Sink) => Promise<T>,
): Promise<T> {
  if (options.url !== undefined) {
    refuseBoth(options);
    const intake = await openIntake(session, { ...options, url: options.url });
    return await work({ concurrency: 4, send: (events) => intake.post(events) });
  }
  return await withSystem(session, options, async (system) => {
    const send = async (events: readonly CloudEvent[]): Promise<Accepted[]> => {
      const entries = events.map(entryOf);
      const positions = await system.append(entries);
      return positions.map((position, index) => {
        const submission = entries[index]?.submission;
        return {
          position: formatPosition(position),
          ...(submission === undefined ? {} : { submission }),
        };
      });
    };
    return await work({ concurrency: system.concurrency, send });
  });
}

/** An intake and a cluster's settings: which of them is meant? */
export function refuseBoth({ url, config }: Pick<Common, 'config'> & IntakeOptions): void {
  if (url !== undefined && config !== undefined)
    throw usage('Expected either --url or --config, found both; an intake knows its cluster.');
}

const ENTRIES: ReadonlyMap<string, (event: CloudEvent) => LogEntry> = new Map([
  [SUBMITTED, submissionEntry],
  [CONSENT_GRANTED, consentEntry],
  [CONSENT_WITHDRAWN, consentEntry],
  [SUBJECT_LINKED, subjectLinkEntry],
]);

function entryOf(event: CloudEvent): LogEntry {
  const entry = ENTRIES.get(event.type);
  if (entry === undefined)
    throw new TypeError('Expected an event of a type this command line sends.');
  return entry(event);
}
