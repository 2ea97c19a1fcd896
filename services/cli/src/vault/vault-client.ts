import { createHash } from 'node:crypto';
import { DEFAULT_LIMITS } from '@residency/contracts/limits';
import type { AccessForm } from '@residency/contracts/vocabulary';
import { defined } from '@residency/defined';
import { tryReadJson } from '@residency/residency';
import { foreign, openHttpClient } from '../http/http-client.ts';
import type { HttpClient } from '../http/http-client.ts';
import type { HttpService } from '../http/http-service.ts';
import { isObject } from '../http/json-object.ts';
import { problemOf } from '../http/problem.ts';
import type { HttpProblem } from '../http/problem.ts';
import { textOf } from '../http/text-of.ts';
import { CliError, interrupted, usage } from '../terminal/cli-error.ts';
import type { Common } from '../terminal/command.ts';
import { readBounded } from '../terminal/read-bounded.ts';
import type { Session } from '../terminal/session.ts';
import { fileNameIn } from './file-name.ts';
import { foundPageIn } from './found-page.ts';
import type { FoundPage } from './found-page.ts';
import { DEFAULT_VAULT } from './vault-options.ts';
import type { VaultOptions } from './vault-options.ts';

/** What an access is by now, in the vault's words. */
export interface AccessState {
  readonly access: string;
  readonly state: 'requested' | 'accessed';
  /** RFC 3339; nothing is given out then or later. */
  readonly until: string;
  readonly missingApprovals: number;
}

export interface AccessOrder {
  readonly submission: string;
  readonly purpose: string;
  readonly reference: string;
  readonly form: AccessForm;
  readonly of?: string;
}

/** A packed sample, and the name that the vault gives it. */
export interface GivenSample {
  readonly fileName: string;
  readonly bytes: Buffer;
}

/** The vault answered, and does not do it. */
export interface Refusal {
  readonly code: string;
  /** Fit for a terminal. */
  readonly detail: string;
}

export type VaultAnswer<T> =
  | { readonly kind: 'done'; readonly value: T }
  | ({ readonly kind: 'refused' } & Refusal);

/**
 * Asks a vault. All throw `VAULT_UNREACHABLE` and `VAULT_UNAVAILABLE` (retry), `TOKEN_REFUSED` and
 * `NOT_A_VAULT`; `SAMPLE_AWAY` and `TRANSFER_BROKEN` (retry) are about one sample.
 */
export interface VaultClient {
  request(access: string, order: AccessOrder): Promise<VaultAnswer<AccessState>>;
  approve(access: string): Promise<VaultAnswer<AccessState>>;
  /** Waits until the access is public. */
  sample(access: string): Promise<VaultAnswer<GivenSample>>;
  /** One answer of a search. Absent conditions are not sent. */
  search(conditions: Readonly<Record<string, string | undefined>>): Promise<VaultAnswer<FoundPage>>;
}

const VAULT: HttpService = {
  a: 'a vault',
  the: 'the vault',
  option: '--vault',
  tokenVariable: 'RESIDENCY_VAULT_TOKEN',
  does: 'answer',
  codes: {
    unreachable: 'VAULT_UNREACHABLE',
    unavailable: 'VAULT_UNAVAILABLE',
    foreign: 'NOT_A_VAULT',
  },
};
const INSTANT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;
/** A zip or CaRT of bytes that cannot be compressed is a little longer than they are. */
const SAMPLE_BYTES = DEFAULT_LIMITS.sampleBytes + 1024 * 1024;
/** The wait for the checkpoint, and the transfer. */
const SAMPLE_MS = 600_000;

export async function openVault(
  session: Session,
  { vault, tokenFile, region, config }: VaultOptions & Pick<Common, 'config'>,
): Promise<VaultClient> {
  if (config !== undefined)
    throw usage(
      'Expected this command without --config, because it asks a vault; name its address with --vault.',
    );
  const url = vault ?? (session.env['RESIDENCY_VAULT_URL'] || DEFAULT_VAULT);
  const client = await openHttpClient(
    session,
    VAULT,
    { url, ...(tokenFile === undefined ? {} : { tokenFile }) },
    { onUnavailable: sampleAway },
  );
  const query = region === undefined ? '' : `?region=${encodeURIComponent(region)}`;
  const path = (access: string, rest = ''): string => `v1/accesses/${access}${rest}${query}`;
  return {
    request: async (access, order) =>
      await stateIn(
        client,
        await client.ask(path(access), {
          method: 'PUT',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify(region === undefined ? order : { ...order, region }),
        }),
        access,
      ),
    approve: async (access) =>
      await stateIn(
        client,
        await client.ask(path(access, '/approvals'), { method: 'POST' }),
        access,
      ),
    sample: async (access) => {
      const response = await client.ask(path(access, '/sample'), {
        method: 'GET',
        timeoutMs: SAMPLE_MS,
      });
      if (response.status !== 200) return await refusalIn(client, response);
      return { kind: 'done', value: await sampleIn(session, response) };
    },
    search: async (conditions) => {
      const asked = new URLSearchParams(defined({ ...conditions, region }));
      const response = await client.ask(`v1/samples?${asked.toString()}`, { method: 'GET' });
      if (response.status !== 200) return await refusalIn(client, response);
      const value = foundPageIn(tryReadJson(await textOf(response)));
      if (value === undefined) throw foreign(VAULT);
      return { kind: 'done', value };
    },
  };
}

async function stateIn(
  client: HttpClient,
  response: Response,
  access: string,
): Promise<VaultAnswer<AccessState>> {
  if (response.status < 200 || response.status > 202) return await refusalIn(client, response);
  const value = tryReadJson(await textOf(response));
  if (!isObject(value) || value['access'] !== access) throw foreign(VAULT);
  const { state, until, missingApprovals } = value;
  const isState = state === 'requested' || state === 'accessed';
  if (!isState || typeof until !== 'string' || !INSTANT.test(until)) throw foreign(VAULT);
  if (typeof missingApprovals !== 'number') throw foreign(VAULT);
  return { kind: 'done', value: { access, state, until, missingApprovals } };
}

async function refusalIn(
  { host }: HttpClient,
  response: Response,
): Promise<{ readonly kind: 'refused' } & Refusal> {
  const { code, detail } = await problemOf(response);
  if (response.status === 401 || code === 'SCOPE_MISSING')
    throw new CliError({
      code: 'TOKEN_REFUSED',
      message: `Expected the vault to know the token, found HTTP ${response.status}: ${detail}`,
      remedy: 'stop',
    });
  if (code === 'PATH_UNKNOWN')
    throw new CliError({
      code: 'NOT_A_VAULT',
      message: `Expected a vault at ${host}, found a service that gives out no samples; name another by --vault, or see docs/how-to/give-access.md.`,
      remedy: 'stop',
    });
  if (code === undefined) throw foreign(VAULT);
  return { kind: 'refused', code, detail };
}

async function sampleIn({ signal }: Session, response: Response): Promise<GivenSample> {
  const fileName = fileNameIn(response.headers.get('content-disposition'));
  if (fileName === undefined) {
    await response.body?.cancel();
    throw foreign(VAULT);
  }
  let bytes: Buffer;
  try {
    bytes = await readBounded(response, SAMPLE_BYTES, () => foreign(VAULT));
  } catch (cause) {
    if (signal.aborted) throw interrupted();
    if (cause instanceof CliError) throw cause;
    throw broken(cause);
  }
  const isRaw = fileName.endsWith('.bin');
  if (isRaw && `${createHash('sha256').update(bytes).digest('hex')}.bin` !== fileName)
    throw broken(undefined);
  return { fileName, bytes };
}

function broken(cause: unknown): CliError {
  return new CliError({
    code: 'TRANSFER_BROKEN',
    message:
      'Expected the whole sample, found that its transfer ended early; nothing was saved. Repeat the command: it stays one access.',
    remedy: 'retry',
    cause,
  });
}

/** A site may be away for long, and the other samples of a list need not be. */
function sampleAway({ code, detail }: HttpProblem): CliError | undefined {
  if (code !== 'SAMPLE_AWAY') return undefined;
  return new CliError({ code: 'SAMPLE_AWAY', message: detail, remedy: 'retry' });
}
