import { CodedError } from '@residency/coded-error';
import { defined } from '@residency/defined';
import { RawConnection } from '@residency/testkit';
import { onTestFinished } from 'vitest';
import { BodyBudget, Tokens, createServer, serve, withBody } from '../src/index.ts';
import type { Served, ServerSettings, Token, WithBodyOptions } from '../src/index.ts';

export const SCOPES = ['read', 'write'] as const;
type Scope = (typeof SCOPES)[number];

/** Text that clients send. No answer and no log line may repeat it. */
export const CANARY = 'canary-5b1e';
export const LIMIT = 200_000;

export interface ShelfOptions extends ServerSettings {
  readonly host?: string;
  readonly port?: number;
  readonly tokens?: readonly Token<Scope>[];
  readonly inspect?: WithBodyOptions['inspect'];
}

/** A small service, the shelf, on a free port. `POST /things` answers with the length of its body. */
export class Shelf {
  readonly logged: string[] = [];
  /** Runs before a body is answered. */
  before: () => Promise<void> | void = () => undefined;
  served: Served = { url: '', close: async () => undefined };

  async start({ host = '127.0.0.1', port = 0, ...options }: ShelfOptions = {}): Promise<this> {
    const tokens = new Tokens({ service: 'shelf', scopes: SCOPES, tokens: options.tokens ?? [] });
    const server = createServer({
      log: { error: (fields, message) => this.logged.push(JSON.stringify(fields) + message) },
      ...options,
      service: { name: 'shelf', dependency: 'wall', headersAdvice: 'Send fewer.' },
      guarded: !tokens.required,
    });
    const budget = new BodyBudget(LIMIT);
    server.app.post('/things', (request, reply) =>
      withBody(
        request,
        reply,
        {
          limit: LIMIT,
          limitAdvice: 'Send less.',
          budget,
          ...defined({ inspect: options.inspect }),
        },
        async (body) => {
          await this.before();
          return { length: body.length };
        },
      ),
    );
    server.app.get('/who', async ({ headers: { authorization } }) => {
      tokens.requireScope('read', authorization);
      return { principal: tokens.principal(authorization) ?? null };
    });
    server.app.get('/falls', async () => {
      throw new CodedError({ code: 'WALL_WET', message: CANARY, remedy: 'retry' });
    });
    this.served = await serve(server, { host, port });
    onTestFinished(() => this.served.close());
    return this;
  }

  get port(): number {
    return Number(new URL(this.served.url).port);
  }

  async ask(path: string, init: RequestInit = {}): Promise<Answer> {
    const response = await fetch(this.served.url + path, init);
    const text = await response.text();
    return { status: response.status, headers: response.headers, text, body: JSON.parse(text) };
  }

  post(body: string): Promise<Answer> {
    return this.ask('/things', { method: 'POST', body });
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
  readonly body: Record<string, unknown>;
}
