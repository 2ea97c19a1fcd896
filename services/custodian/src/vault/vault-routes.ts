import { ACCESS_FORMS, ACCESS_ID, VERDICTS } from '@residency/contracts';
import { codeOf, remedyOf } from '@residency/coded-error';
import { defined } from '@residency/defined';
import { BodyBudget, Problem, holdConnection, unavailable, withBody } from '@residency/http-server';
import type { HttpServer, ProblemKind } from '@residency/http-server';
import { tryReadJson } from '@residency/residency';
import type { AccessResult } from '@residency/telemetry';
import { MOST_RESULTS, VaultError } from '@residency/vault';
import type {
  AccessOrder,
  AccessReport,
  Asker,
  FoundSamples,
  Vault,
  VaultErrorCode,
} from '@residency/vault';
import type { Askers } from './askers.ts';
import { SampleConnections } from './sample-connections.ts';
import { bodyWithin } from './body-within.ts';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';

/** The patterns of the vault's routes. */
export const VAULT_ROUTES: readonly string[] = [
  '/v1/accesses/:access',
  '/v1/accesses/:access/approvals',
  '/v1/accesses/:access/sample',
  '/v1/samples',
];
/** The routes' descriptions for `GET /`. */
export const VAULT_PATHS: Readonly<Record<string, string>> = {
  'PUT /v1/accesses/{access}': 'ask for a sample; the id is a UUID of version 7 that you make',
  'GET /v1/accesses/{access}': 'what became of it',
  'POST /v1/accesses/{access}/approvals': "approve somebody else's request",
  'GET /v1/accesses/{access}/sample': 'the sample, once the access is public',
  'GET /v1/samples': 'search the samples of a region',
};

export interface VaultRoutesDeps {
  /** By region; one request is for one of them. */
  readonly vaults: ReadonlyMap<string, Vault>;
  readonly askers: Askers;
  /** Called for each answer of a vault: its code, or what it did. */
  readonly result: (region: string, result: AccessResult) => void;
}

/** Bytes of a request's body. */
const BODY_BYTES = 16 * 1024;
/** Samples that are being read, packed or sent at a time: each takes up to 50 MiB. */
const RELEASES = 8;
/** Of them, for one principal: a few askers cannot take all. */
const RELEASES_EACH = 4;
/** Requests for samples that wait for the checkpoint, and those of one principal. */
const WAITING = 256;
const WAITING_EACH = 64;
/** Searches at a time, and those of one principal: each decodes thousands of events. */
const SEARCHES = 4;
const SEARCHES_EACH = 2;
/** A search that takes longer answers with what it has found. */
const SEARCH_MS = 2_000;
/** How long a request for a sample waits for the checkpoint. */
const WAIT_MS = 30_000;
/** A client that reads slower is cut off: 16 MiB in this time are 56 KiB a second. */
const SEND_WITHIN_MS = 300_000;

const order = z.strictObject({
  region: z.string().max(64).optional(),
  submission: z.string().regex(/^[0-9a-f]{64}$/),
  purpose: z.string().max(64),
  reference: z.string().max(1_024),
  form: z.enum(ACCESS_FORMS).default('cart'),
  of: z
    .string()
    .regex(/^[A-Za-z0-9._-]{1,64}\/[a-z.]{1,64}\/\d{1,10}\/\d{1,19}$/)
    .optional(),
});

const instant = z.iso.datetime({ offset: true }).max(40).transform(Date.parse);
const query = z.strictObject({
  region: z.string().max(64).optional(),
  purpose: z.string().max(64),
  from: instant.optional(),
  to: instant.optional(),
  country: z
    .string()
    .regex(/^[A-Z]{2}$/)
    .optional(),
  verdict: z.enum(VERDICTS).optional(),
  sampleSha256: z
    .string()
    .regex(/^[0-9a-f]{64}$/)
    .optional(),
  limit: z
    .string()
    .regex(/^[1-9]\d{0,3}$/)
    .transform(Number)
    .pipe(z.int().max(MOST_RESULTS))
    .default(100),
  after: z.string().max(400).optional(),
});

/** Adds `/v1/accesses` and `/v1/samples`. Every route needs a token that names a principal. */
export function vaultRoutes(
  { app, connections }: Pick<HttpServer, 'app' | 'connections'>,
  deps: VaultRoutesDeps,
): void {
  const budget = new BodyBudget(64 * BODY_BYTES);
  const waiting = new Places(WAITING, WAITING_EACH);
  const releasing = new Places(RELEASES, RELEASES_EACH);
  const sending = new SampleConnections();
  const searching = new Places(SEARCHES, SEARCHES_EACH);
  const askers = new WeakMap<FastifyRequest['raw'], Asker>();
  const authenticated = {
    onRequest: async ({ raw, headers }: FastifyRequest) => {
      sending.used(raw.socket);
      askers.set(raw, await asProblem(() => deps.askers.of(headers.authorization)));
    },
  };
  const askerOf = ({ raw }: Pick<FastifyRequest, 'raw'>): Asker =>
    askers.get(raw) ?? { principal: '', groups: [] };

  app.put<Params>('/v1/accesses/:access', {
    ...authenticated,
    handler: async (request, reply) => {
      const access = accessIn(request);
      holdConnection(connections, request, reply);
      const { region, of, ...rest } = await orderIn(request, reply, budget);
      const asked: AccessOrder = { access, ...rest, ...defined({ of }) };
      const [name, vault] = vaultFor(deps, region, access, askerOf(request));
      const report = await answering(deps, name, 'recorded', () =>
        vault.request(askerOf(request), asked),
      );
      return reply.code(report.state === 'accessed' ? 201 : 202).send(bodyOf(report));
    },
  });
  app.get<Params>('/v1/accesses/:access', {
    ...authenticated,
    handler: async (request) => {
      const access = accessIn(request);
      const [, vault] = vaultFor(deps, regionAsked(request), access, askerOf(request));
      return bodyOf(await asProblem(() => vault.report(askerOf(request), access)));
    },
  });
  app.post<Params>('/v1/accesses/:access/approvals', {
    ...authenticated,
    handler: async (request) => {
      const access = accessIn(request);
      const [name, vault] = vaultFor(deps, regionAsked(request), access, askerOf(request));
      return bodyOf(
        await answering(deps, name, 'approved', () => vault.approve(askerOf(request), access)),
      );
    },
  });
  app.get<Params>('/v1/accesses/:access/sample', {
    ...authenticated,
    // A HEAD would be an access, too.
    exposeHeadRoute: false,
    handler: async (request, reply) => {
      const access = accessIn(request);
      const [name, vault] = vaultFor(deps, regionAsked(request), access, askerOf(request));
      const asker = askerOf(request);
      // Its answer would wait behind another one's, and whoever waits is asked no more.
      if (reply.raw.socket === null)
        throw invalid(
          'a sample to be asked for after the answers before it on its connection came',
        );
      holdConnection(connections, request, reply);
      const gone = new AbortController();
      const closed = new Promise<void>((resolve) => {
        reply.raw.once('close', () => {
          gone.abort();
          resolve();
        });
      });
      const { socket } = reply.raw;
      sending.endAfter(socket, reply.raw, SEND_WITHIN_MS);
      const signal = AbortSignal.any([gone.signal, AbortSignal.timeout(WAIT_MS)]);
      const { bytes, contentType, contentDisposition, msLeft } = await answering(
        deps,
        name,
        'released',
        () =>
          waiting.hold(asker.principal, () =>
            vault.release(asker, access, signal, (work) =>
              releasing.hold(asker.principal, work, closed),
            ),
          ),
      );
      // A client that reads slowly takes no more either.
      sending.endAfter(socket, reply.raw, Math.min(msLeft(), SEND_WITHIN_MS));
      return reply
        .type(contentType)
        .header('content-length', bytes.length)
        .header('content-disposition', contentDisposition)
        .header('content-security-policy', "sandbox; default-src 'none'")
        .send(bodyWithin(bytes, () => msLeft() > 0));
    },
  });
  app.get('/v1/samples', {
    ...authenticated,
    // A HEAD would be a search, too.
    exposeHeadRoute: false,
    handler: async (request, reply) => {
      const { region, ...rest } = queryIn(request);
      const named = vaultNamed(deps, region);
      if (named === undefined) throw regionUnknown([...deps.vaults.keys()]);
      const [name, vault] = named;
      const asker = askerOf(request);
      const gone = new AbortController();
      reply.raw.once('close', () => {
        gone.abort();
      });
      const signal = AbortSignal.any([gone.signal, AbortSignal.timeout(SEARCH_MS)]);
      const found = await searching.hold(asker.principal, () =>
        answering(deps, name, 'searched', () => vault.search(asker, defined(rest), signal)),
      );
      return foundBody(name, found);
    },
  });
}

/** Places for requests, in all and for one principal. */
class Places {
  readonly #most: number;
  readonly #each: number;
  readonly #taken: string[] = [];

  constructor(most: number, each: number) {
    this.#most = most;
    this.#each = each;
  }

  /** Leaves the place once the work has failed, or has ended and `until` resolved. Throws 503 if all are taken. */
  async hold<T>(
    principal: string,
    work: () => Promise<T>,
    until: Promise<void> = Promise.resolve(),
  ): Promise<T> {
    const own = this.#taken.filter((one) => one === principal).length;
    if (this.#taken.length >= this.#most || own >= this.#each) throw busy(this.#most, this.#each);
    this.#taken.push(principal);
    const leave = (): void => {
      this.#taken.splice(this.#taken.indexOf(principal), 1);
    };
    try {
      const done = await work();
      void until.then(leave);
      return done;
    } catch (error) {
      leave();
      throw error;
    }
  }
}

interface Params {
  Params: { access: string };
  Querystring: { region?: string };
}

function regionAsked({ query }: FastifyRequest<Params>): string | undefined {
  return typeof query.region === 'string' ? query.region : undefined;
}

type NamedVault = readonly [region: string, vault: Vault];

/** The vault of the region; without a region the only one. `undefined`: there are several. */
function vaultNamed(
  { vaults }: VaultRoutesDeps,
  region: string | undefined,
): NamedVault | undefined {
  if (region === undefined) return vaults.size === 1 ? [...vaults][0] : undefined;
  const vault = vaults.get(region);
  if (vault !== undefined) return [region, vault];
  throw regionUnknown([...vaults.keys()]);
}

/** Without a region the only one, or the one that knows the access. */
function vaultFor(
  deps: VaultRoutesDeps,
  region: string | undefined,
  access: string,
  asker: Asker,
): NamedVault {
  const { vaults } = deps;
  const named = vaultNamed(deps, region);
  if (named !== undefined) return named;
  const all = [...vaults];
  const found = all.find(([, vault]) => vault.knows(asker, access));
  if (found !== undefined) return found;
  if (all.some(([, vault]) => !vault.isActive))
    throw unavailable(
      'CUSTODIAN_NOT_ACTIVE',
      'Expected this process to be the active custodian of its regions; found that it is not yet. Ask again after the time in Retry-After.',
      2,
    );
  throw regionUnknown([...vaults.keys()]);
}

function regionUnknown(regions: readonly string[]): Problem {
  return new Problem({
    kind: 'not-found',
    code: 'REGION_UNKNOWN',
    detail: `Expected a region of this vault (${regions.join(', ')}); found another, or none. Name the one that stores the submission.`,
  });
}

function accessIn({ params: { access } }: FastifyRequest<Params>): string {
  if (ACCESS_ID.test(access)) return access;
  throw invalid('an access id that is a UUID of version 7 in lower case');
}

async function orderIn(
  request: FastifyRequest<Params>,
  reply: FastifyReply,
  budget: BodyBudget,
): Promise<z.output<typeof order>> {
  const body = { limit: BODY_BYTES, limitAdvice: 'Shorten the reference.', budget };
  return await withBody(request, reply, body, (bytes) => {
    const parsed = order.safeParse(tryReadJson(bytes.toString('utf8')));
    if (parsed.success) return parsed.data;
    const names = parsed.error.issues.map(({ path }) => path.join('.') || 'unknown members');
    throw invalid(
      `a JSON object with submission, purpose, reference, and perhaps form, of and region; wrong: ${[...new Set(names)].filter((one) => /^[a-z ]{1,20}$/.test(one)).join(', ')}`,
    );
  });
}

function queryIn(request: FastifyRequest): z.output<typeof query> {
  const parsed = query.safeParse(request.query);
  if (parsed.success) return parsed.data;
  const names = parsed.error.issues.map(({ path }) => path.join('.') || 'unknown parameters');
  throw invalid(
    `purpose, and perhaps region, from, to, country, verdict, sampleSha256, limit (1 to ${MOST_RESULTS}) and after, each once; wrong: ${[...new Set(names)].join(', ')}`,
    'SEARCH_INVALID',
  );
}

function foundBody(region: string, { samples, next }: FoundSamples): object {
  return {
    samples: samples.map(({ at, ...sample }) => ({
      ...sample,
      region,
      at: new Date(at).toISOString(),
    })),
    ...defined({ next }),
  };
}

function bodyOf({ access, state, until, missingApprovals }: AccessReport): object {
  return { access, state, until: new Date(until).toISOString(), missingApprovals };
}

async function answering<T>(
  { result }: VaultRoutesDeps,
  region: string,
  done: AccessResult,
  work: () => Promise<T>,
): Promise<T> {
  try {
    const answer = await asProblem(work);
    result(region, done);
    return answer;
  } catch (error) {
    result(region, error instanceof Problem && error.status < 500 ? 'refused' : 'failed');
    throw error;
  }
}

const KINDS: Partial<Record<VaultErrorCode, ProblemKind>> = {
  REFERENCE_INVALID: 'invalid-request',
  ACCESS_ID_STALE: 'invalid-request',
  CURSOR_INVALID: 'invalid-request',
  ACCESS_UNKNOWN: 'not-found',
  SUBMISSION_UNKNOWN: 'not-found',
  ACCESS_ID_REUSED: 'conflict',
  ACCESS_ENDED: 'conflict',
  NOT_APPROVED: 'conflict',
  ACCESS_EXPIRED: 'gone',
  APPROVAL_EXPIRED: 'gone',
  SAMPLE_LOST: 'gone',
  LIMIT_REACHED: 'too-many-requests',
  REFUSALS_EXHAUSTED: 'too-many-requests',
  SAMPLE_NOT_GOOD: 'internal',
};

/** A vault's error as a problem; what a port threw is left to the server. */
async function asProblem<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof VaultError)) {
      if (remedyOf(error) !== 'retry') throw error;
      throw unavailable(
        codeOf(error) ?? 'RETRY',
        'Expected the logs, the sites and the ledger behind the vault to answer; found that one does not now. Nothing was given out: ask again after the time in Retry-After.',
        5,
        error,
      );
    }
    const { code, message, remedy } = error;
    if (remedy === 'retry') throw unavailable(code, message, 2, error);
    throw new Problem({ kind: KINDS[code] ?? 'forbidden', code, detail: message });
  }
}

function busy(most: number, each: number): Problem {
  return unavailable(
    'BUSY',
    `Expected fewer than ${most} such requests at a time, ${each} of them of one principal; found as many. Ask again after the time in Retry-After.`,
    2,
  );
}

function invalid(expected: string, code = 'ACCESS_INVALID'): Problem {
  return new Problem({
    kind: 'invalid-request',
    code,
    detail: `Expected ${expected}; found something else. Nothing was recorded.`,
  });
}
