import { encodeHttpBatch, encodeHttpBinary } from '@residency/cloudevents';
import type { CloudEvent } from '@residency/cloudevents';
import { tryReadJson } from '@residency/residency';
import { foreign, openHttpClient, parseBase } from '../http/http-client.ts';
import type { HttpService } from '../http/http-service.ts';
import { isObject } from '../http/json-object.ts';
import { problemOf } from '../http/problem.ts';
import type { HttpProblem } from '../http/problem.ts';
import { textOf } from '../http/text-of.ts';
import { CliError } from '../terminal/cli-error.ts';
import type { Session } from '../terminal/session.ts';
import type { IntakeOptions } from './intake-options.ts';

/** One event's place in the log; `submission` where it was one. */
export interface Accepted {
  readonly position: string;
  readonly submission?: string;
}

export interface IntakeClient {
  post(events: readonly CloudEvent[]): Promise<readonly Accepted[]>;
  /** `undefined`: it knows no such thing. */
  get(path: string): Promise<Record<string, unknown> | undefined>;
}

const INTAKE: HttpService = {
  a: 'an intake',
  the: 'the intake',
  option: '--url',
  tokenVariable: 'RESIDENCY_TOKEN',
  does: 'take this',
  codes: {
    unreachable: 'INTAKE_UNREACHABLE',
    unavailable: 'INTAKE_UNAVAILABLE',
    foreign: 'NOT_AN_INTAKE',
  },
};

export async function openIntake(
  session: Session,
  options: IntakeOptions & { readonly url: string },
): Promise<IntakeClient> {
  const { ask } = await openHttpClient(session, INTAKE, options, { onUnavailable: drained });
  return {
    post: async (events) => {
      const [only] = events;
      const { headers, body } =
        events.length === 1 && only !== undefined
          ? encodeHttpBinary(only)
          : encodeHttpBatch(events);
      const response = await ask('events', {
        method: 'POST',
        headers: Object.fromEntries(headers),
        body: new Uint8Array(body),
      });
      if (response.status !== 202) throw await refused(response);
      return readAccepted(await readObject(response), events.length);
    },
    get: async (path) => {
      const response = await ask(path, { method: 'GET' });
      if (
        response.status === 404 &&
        response.headers.get('content-type')?.startsWith('application/problem+json') === true
      ) {
        await response.body?.cancel();
        return undefined;
      }
      if (response.status !== 200) throw await refused(response);
      return await readObject(response);
    },
  };
}

/** Throws `USAGE` without repeating the value. */
export function parseIntakeUrl(text: string): URL {
  return parseBase(INTAKE, text);
}

/** It lasts until a person says otherwise. */
function drained({ code }: HttpProblem, host: string): CliError | undefined {
  if (code !== 'DRAINING') return undefined;
  return new CliError({
    code: 'DRAINING',
    message: `Expected the intake at ${host} to take submissions, found it drained by its operators; nothing of this request was published. Publish it again after \`residency resume\`.`,
    remedy: 'retry',
  });
}

async function refused(response: Response): Promise<CliError> {
  const { detail } = await problemOf(response);
  const code =
    response.status === 401 || response.status === 403 ? 'TOKEN_REFUSED' : 'INTAKE_REFUSED';
  return new CliError({
    code,
    message: `Expected the intake to take the request, found HTTP ${response.status}: ${detail}`,
    remedy: 'stop',
  });
}

function readAccepted({ accepted }: Record<string, unknown>, count: number): Accepted[] {
  const read = Array.isArray(accepted)
    ? accepted.flatMap((one: unknown): Accepted[] => {
        if (!isObject(one) || typeof one['position'] !== 'string') return [];
        return [
          {
            position: one['position'],
            ...(typeof one['submission'] === 'string' ? { submission: one['submission'] } : {}),
          },
        ];
      })
    : [];
  if (read.length !== count) throw foreign(INTAKE);
  return read;
}

async function readObject(response: Response): Promise<Record<string, unknown>> {
  const value: unknown = tryReadJson(await textOf(response));
  if (!isObject(value)) throw foreign(INTAKE);
  return value;
}
