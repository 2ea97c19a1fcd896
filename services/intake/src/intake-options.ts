import type { Limits } from '@residency/contracts';
import type { HttpServer, ServeOptions, ServerSettings } from '@residency/http-server';
import type { Operations } from '@residency/operations';
import type { ConsentHistories } from './ports/consent-histories.ts';
import type { EventAppender } from './ports/event-appender.ts';
import type { SubmissionStatus } from './ports/submission-status.ts';
import type { IntakeToken } from './scopes.ts';

export interface IntakeOptions extends ServeOptions, ServerSettings {
  readonly appender: EventAppender;
  readonly status: SubmissionStatus;
  readonly consents: ConsentHistories;
  readonly operations: Operations;
  /**
   * Further routes of the process, open to every client that reaches the port. An answer may set
   * `cache-control`; otherwise it is not cached.
   */
  readonly routes?: (server: Pick<HttpServer, 'app' | 'connections'>) => void;
  readonly tokens?: readonly IntakeToken[];
  /** `inFlightBytes`: the limit for all request bodies held at one time. */
  readonly limits?: Limits;
  /**
   * Called for each request. While it returns true, submissions are refused (`residency drain`);
   * consents are not.
   */
  readonly draining?: () => boolean;
}
