import { setTimeout as sleep } from 'node:timers/promises';
import { SAMPLE_ACCESSED, custodyEventIn } from '@residency/contracts';
import type { SeededRandom } from '../seeded-random.ts';
import type { Supervised } from '../site-lost/supervised.ts';
import type { Arrival } from './judge-erased.ts';
import { publishedEntries } from './public-ledger.ts';
import type { PublicLedger } from './public-ledger.ts';
import { askVault } from './vault-client.ts';
import type { Answer, Asked } from './vault-client.ts';
import type { VaultTally } from './vault-tally.ts';

export interface StoredSample {
  readonly submission: string;
  readonly bytes: Buffer;
}

/** What one client asks for. */
export interface Wanted {
  readonly access: string;
  readonly sample: StoredSample;
}

export interface VaultClientsDeps {
  readonly token: string;
  readonly random: SeededRandom;
  readonly ledger: PublicLedger;
  readonly custodians: readonly Supervised[];
  readonly tally: VaultTally;
}

const ANSWERED_WITHIN_MS = 240_000;
const AGAIN_MS = 150;

/** Clients of both custodians. Every answer is judged when it arrives. */
export class VaultClients {
  /** Accesses for which a sample began to arrive. */
  readonly begun = new Set<string>();
  /** Each piece of a sample that came to a client. */
  readonly arrivals: Arrival[] = [];
  readonly #deps: VaultClientsDeps;

  constructor(deps: VaultClientsDeps) {
    this.#deps = deps;
  }

  /** Asks for the sample until it is recorded. `undefined`: it is refused, which is a finding. */
  async record(wanted: Wanted, purpose: string): Promise<Supervised | undefined> {
    const { access, sample } = wanted;
    const body = {
      submission: sample.submission,
      purpose,
      reference: `ticket ${access}`,
      form: 'raw',
    };
    const { status, code, by } = await this.untilAnswered('PUT', wanted, { body });
    if (status === 201) return by;
    this.#deps.tally.find(`PUT ${access}: ${status} ${code}`);
    return undefined;
  }

  /** Repeats the request until one of the custodians answers it, in turn. */
  async untilAnswered(
    method: 'GET' | 'PUT',
    wanted: Wanted,
    more: Pick<Asked, 'body'> = {},
  ): Promise<Answer & { readonly by?: Supervised }> {
    const { custodians, random } = this.#deps;
    const deadline = performance.now() + ANSWERED_WITHIN_MS;
    let last: Answer | undefined;
    for (let turn = random.below(2); performance.now() < deadline; turn += 1) {
      const by = custodians[turn % custodians.length];
      const answer = await this.once(method, wanted, by, { ms: 35_000, ...more });
      if (by !== undefined && answer !== undefined && isFinal(answer.status))
        return { ...answer, by };
      last = answer ?? last;
      await sleep(AGAIN_MS);
    }
    return last ?? { status: 0, body: Buffer.alloc(0) };
  }

  /** One request. `undefined`: it has no answer, or a part of one. */
  async once(
    method: 'GET' | 'PUT',
    { access, sample }: Wanted,
    by: Supervised | undefined,
    asked: Pick<Asked, 'body' | 'ms'>,
  ): Promise<Answer | undefined> {
    const { token, tally } = this.#deps;
    const isSample = method === 'GET';
    tally.answers += 1;
    if (by?.url === undefined) return undefined;
    const answer = await askVault(by.url, method, isSample ? `${access}/sample` : access, {
      token,
      ...asked,
      arrived: async (status) => {
        if (isSample && status === 200) this.begun.add(access);
        if (isSample) await this.#judgeArrival(access, status);
      },
      piece: (status, bytes) => {
        if (isSample && status === 200)
          this.arrivals.push({ access, submission: sample.submission, bytes, at: Date.now() });
      },
    }).catch(() => undefined);
    if (answer !== undefined && answer.status !== 200 && answer.body.includes(sample.bytes))
      tally.find(`${method} ${access}: a sample in an answer ${answer.status}`);
    return answer;
  }

  /** How often the published ledger shows the access. */
  async shown(access: string): Promise<number> {
    const entries = await publishedEntries(this.#deps.ledger);
    return entries.filter((entry) => isOf(entry, access)).length;
  }

  /** When a sample arrives, its access must be public already. */
  async #judgeArrival(access: string, status: number): Promise<void> {
    if (status !== 200) return;
    const { tally } = this.#deps;
    try {
      const shown = await this.shown(access);
      if (shown === 1) tally.arrivals += 1;
      else tally.find(`${access}: a sample, and ${shown} public events`);
    } catch (error) {
      tally.find(`${access}: a sample, and a ledger that does not verify: ${String(error)}`);
    }
  }
}

function isOf(entry: Buffer, access: string): boolean {
  const event = custodyEventIn(entry);
  return event?.type === SAMPLE_ACCESSED && event.data.access === access;
}

/** Not 408: a server that was frozen finds the requests of that time too old when it wakes. */
function isFinal(status: number): boolean {
  return status < 500 && status !== 408;
}
