import { encodeHttpBatch, encodeHttpBinary, encodeHttpStructured } from '@residency/cloudevents';
import type { CloudEvent, HttpContent } from '@residency/cloudevents';
import type { ConsentHistory } from '@residency/consent';
import { CONSENT_GRANTED, SUBJECT_LINKED, SUBMITTED } from '@residency/contracts';
import type { LogEntry, Position } from '@residency/contracts';
import { RawConnection } from '@residency/testkit';
import { onTestFinished } from 'vitest';
import type { Readiness } from '@residency/operations';
import { startIntake } from '../src/index.ts';
import type { Intake, IntakeOptions, SubmissionState } from '../src/index.ts';

/** Texts in every test's events. None of them may appear in a response or a log line. */
export const CANARIES = ['canary-subject-7f3a', 'canary-sample-text-91c2'] as const;

/** An intake on a free port, with ports in memory. */
export class IntakeWorld {
  readonly appended: LogEntry[][] = [];
  readonly logged: string[] = [];
  readonly states = new Map<string, SubmissionState>();
  readonly histories = new Map<string, ConsentHistory>();
  readiness: Readiness = { ready: true, checks: [{ name: 'log', ok: true }] };
  live = true;
  /** Runs before an append takes effect; throws to make it fail. */
  beforeAppend: () => Promise<void> | void = () => undefined;
  intake: Intake = { url: '', close: async () => undefined };

  async start(options: Partial<IntakeOptions> = {}): Promise<this> {
    this.intake = await startIntake({
      host: '127.0.0.1',
      port: 0,
      appender: { append: (entries) => this.#append(entries) },
      status: { find: async (submission) => this.states.get(submission) ?? { state: 'unknown' } },
      consents: { history: async (consentId) => this.histories.get(consentId) ?? [] },
      operations: {
        live: () => this.live,
        ready: () => this.readiness,
        metrics: async () => ({
          contentType: 'text/plain; version=0.0.4',
          body: 'residency_up 1\n',
        }),
      },
      log: { error: (fields, message) => this.logged.push(JSON.stringify(fields) + message) },
      ...options,
    });
    onTestFinished(() => this.intake.close());
    return this;
  }

  async #append(entries: readonly LogEntry[]): Promise<Position[]> {
    await this.beforeAppend();
    const before = this.appended.flat().length;
    this.appended.push([...entries]);
    return entries.map(({ topic }, index) => ({
      log: 'log-1',
      topic,
      partition: 0,
      offset: BigInt(before + index),
    }));
  }

  get port(): number {
    return Number(new URL(this.intake.url).port);
  }

  get(path: string, headers: Record<string, string> = {}): Promise<Answer> {
    return answer(fetch(this.intake.url + path, { headers }));
  }

  post({ headers, body }: HttpContent, more: Record<string, string> = {}): Promise<Answer> {
    return answer(
      fetch(`${this.intake.url}/events`, {
        method: 'POST',
        headers: { ...Object.fromEntries(headers), ...more },
        body: new Uint8Array(body),
      }),
    );
  }

  /** A connection that sends exactly this text. */
  raw(text: string): RawConnection {
    return new RawConnection(this.port, text);
  }
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** The parsed body; an empty object if it is not JSON. */
  readonly body: Record<string, unknown>;
}

async function answer(response: Promise<Response>): Promise<Answer> {
  const { status, headers } = await response;
  const text = await (await response).text();
  const json = headers.get('content-type')?.includes('json') === true;
  return { status, headers, text, body: json ? JSON.parse(text) : {} };
}

export function submitted(change: Partial<CloudEvent> = {}): CloudEvent {
  return {
    specversion: '1.0',
    id: 'sample-1',
    source: 'urn:test:pipeline',
    type: SUBMITTED,
    datacontenttype: 'application/octet-stream',
    subject: CANARIES[0],
    extensions: { usercountry: 'DE', consentid: 'consent-0001', verdict: 'suspicious' },
    data: Buffer.from(CANARIES[1]),
    ...change,
  };
}

export function granted(
  id = 'grant-1',
  data: object = {
    consentId: 'consent-0001',
    purposes: ['threat-sample-sharing'],
    termsVersion: '3',
  },
): CloudEvent {
  return {
    specversion: '1.0',
    id,
    source: 'urn:test:app',
    type: CONSENT_GRANTED,
    datacontenttype: 'application/json',
    extensions: {},
    data: Buffer.from(JSON.stringify(data)),
  };
}

export function linked(): CloudEvent {
  return {
    ...granted('link-1', { consentId: 'consent-0001', subject: CANARIES[0] }),
    type: SUBJECT_LINKED,
  };
}

export const binary = encodeHttpBinary;
export const structured = encodeHttpStructured;
export const batch = encodeHttpBatch;
