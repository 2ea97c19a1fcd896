import type { CloudEvent } from '@residency/cloudevents';
import type { LogEntry } from '@residency/contracts';
import { TOPICS } from '@residency/contracts/log-record';
import { formatPosition } from '@residency/contracts/position';
import { submissionEntry } from '@residency/contracts/submission-entry';
import {
  CONSENT_GRANTED,
  CONSENT_WITHDRAWN,
  SUBJECT_LINKED,
  SUBMITTED,
} from '@residency/contracts/vocabulary';
import { defined } from '@residency/defined';
import type { ControlView } from '@residency/routing';
import { usage } from '../terminal/cli-error.ts';
import type { Common } from '../terminal/command.ts';
import { newSalt } from '../system/salt.ts';
import { refuseDraining } from '../system/control-state.ts';
import type { Accepted } from './intake-client.ts';
import type { IntakeOptions } from './intake-options.ts';
import type { Session } from '../terminal/session.ts';
import { withSystem } from '../opening/with-system.ts';

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
    const { openIntake } = await import('./intake-client.ts');
    const intake = await openIntake(session, { ...options, url: options.url });
    return await work({ concurrency: 4, send: (events) => intake.post(events) });
  }
  return await withSystem(
    session,
    options,
    async (system) => {
      let control: ControlView | undefined;
      const send = async (events: readonly CloudEvent[]): Promise<Accepted[]> => {
        const entries = await Promise.all(events.map(entryOf));
        // Checked each time: an operator who drains waits for a long publication to end. Consents are
        // accepted, as at the intake.
        if (entries.some(({ topic }) => topic === TOPICS.samples))
          refuseDraining(await (control ??= await system.controlView()).read());
        const positions = await system.append(entries);
        return positions.map((position, index) => {
          const submission = entries[index]?.submission;
          return {
            position: formatPosition(position),
            ...defined({ submission }),
          };
        });
      };
      return await work({ concurrency: system.concurrency, send });
    },
    { makes: true },
  );
}

/** An intake and a cluster's settings: which of them is meant? */
export function refuseBoth({ url, config }: Pick<Common, 'config'> & IntakeOptions): void {
  if (url !== undefined && config !== undefined)
    throw usage('Expected either --url or --config, found both; an intake knows its cluster.');
}

async function entryOf(event: CloudEvent): Promise<LogEntry> {
  switch (event.type) {
    case SUBMITTED:
      return submissionEntry(event);
    case CONSENT_GRANTED:
    case CONSENT_WITHDRAWN:
      return (await contracts()).consentEntry(event, newSalt());
    case SUBJECT_LINKED:
      return (await contracts()).subjectLinkEntry(event);
    default:
      throw new TypeError('Expected an event of a type this command line sends.');
  }
}

/** Loaded for consents alone, which are validated here. */
const contracts = () => import('@residency/contracts');
