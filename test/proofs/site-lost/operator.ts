import { setTimeout as sleep } from 'node:timers/promises';
import { TOPICS } from '@residency/contracts';
import type { Deployment } from '../../running-deployment/deployment.ts';
import type { TestSite } from '../../stack/index.ts';
import { residencyCommand } from './residency-command.ts';
import type { Ended } from './residency-command.ts';
import type { Change, CommandKill } from './script.ts';

const AGAIN_AFTER_MS = 300;
/** For one act of the operator, with its repetitions. */
const WITHIN_MS = 600_000;
const LOOK_EVERY_MS = 20;

/** What a person saw of one change. */
export interface SeenChange {
  readonly site: TestSite;
  /** When the first command began, milliseconds since the epoch. */
  readonly startedAt: number;
  readonly endedAt: number;
  /** How often the command was started. */
  readonly starts: number;
  readonly killed: number;
  readonly aborted: boolean;
  readonly acceptedLoss: boolean;
}

/** The person at the command line: repeats a command until it says that it is done. */
export class Operator {
  readonly #deployment: Deployment;
  readonly #note: (line: string) => void;
  readonly changes: SeenChange[] = [];
  /** How the commands ended, other than with 0. */
  readonly repeated: string[] = [];
  strangers = 0;

  constructor(deployment: Deployment, note: (line: string) => void) {
    this.#deployment = deployment;
    this.#note = note;
  }

  async takeOut({ site, kills, abort }: Change): Promise<void> {
    const startedAt = Date.now();
    const out = ['site', 'out', site, '--reason', 'it burned'];
    let [starts, killed, acceptedLoss] = [0, 0, false];
    for (const kill of kills) {
      starts += 1;
      const { code } = await this.#killed(out, kill);
      if (code === null) killed += 1;
    }
    let aborted = false;
    if (abort) {
      // It may be over, or may never have begun.
      const { code } = await this.#run(['site', 'out', site, '--abort']);
      aborted = code === 0;
    }
    await this.#until(async () => {
      starts += 1;
      const { code, stderr } = await this.#run(acceptedLoss ? [...out, '--accept-loss'] : out);
      if (code === 1 && stderr.includes('--accept-loss')) acceptedLoss = true;
      return code === 0;
    });
    const endedAt = Date.now();
    this.changes.push({ site, startedAt, endedAt, starts, killed, aborted, acceptedLoss });
    this.#note(
      `${site} is out after ${endedAt - startedAt} ms, ${starts} starts, ${killed} killed${acceptedLoss ? ', loss accepted' : ''}`,
    );
  }

  /** `giveEmpty`: another empty bucket, if late writes are in this one. */
  async takeIn(site: TestSite, giveEmpty: () => Promise<void>): Promise<void> {
    await this.#until(async () => {
      const rebuilt = await this.#run(['site', 'rebuild', site]);
      if (rebuilt.stderr.includes('SITE_NOT_EMPTY')) await this.#clean(giveEmpty);
      if (rebuilt.code !== 0) return false;
      const { code, stderr } = await this.#run(['site', 'in', site]);
      if (stderr.includes('were written before it went out')) await this.#clean(giveEmpty);
      return code === 0;
    });
  }

  /** Until every order is closed. Returns what is wrong then. */
  async untilRepaired(): Promise<readonly string[]> {
    return await this.#untilWhole('orders are open', async () => {
      const repairs = await this.#run(['site', 'repairs', '--json']);
      // An order that could not make a copy anew ends with 1.
      const read = repairs.code === 0 || (repairs.code === 1 && repairs.stdout !== '');
      return [read && !repairs.stdout.includes('"open"'), repairs.stdout + repairs.stderr];
    });
  }

  /** Until nothing is owed but the samples that were given up. Returns what is wrong then. */
  async untilPaid(givenUp: number): Promise<readonly string[]> {
    return await this.#untilWhole('copies are owed', async () => {
      const owed = await Promise.all(
        ['zrh-1', 'zrh-2'].map(async (site) => {
          const { stdout } = await this.#run(['site', 'backfill', site, '--json']);
          return Number(/"owed":(\d+)/.exec(stdout)?.[1] ?? Infinity);
        }),
      );
      return [owed.reduce((sum, one) => sum + one, 0) <= givenUp, owed.join(' and ')];
    });
  }

  async #untilWhole(
    finding: string,
    look: () => Promise<readonly [boolean, string]>,
  ): Promise<readonly string[]> {
    let last = '';
    try {
      await this.#until(async () => {
        const [whole, said] = await look();
        last = said;
        return whole;
      });
      return [];
    } catch {
      return [`${finding}: ${last}`];
    }
  }

  async #clean(giveEmpty: () => Promise<void>): Promise<void> {
    this.strangers += 1;
    await giveEmpty();
  }

  /** In this process, which saves the start. */
  async #run(args: readonly string[]): Promise<Ended> {
    const since = performance.now();
    const ended = await this.#deployment.residency(...args);
    if (ended.code !== 0) {
      const took = Math.round(performance.now() - since);
      this.repeated.push(`${args.slice(0, 3).join(' ')}: ${String(ended.code)} ${ended.stderr}`);
      if (args[1] !== 'repairs' && args[1] !== 'backfill')
        this.#note(
          `${args.slice(0, 3).join(' ')} ended with ${String(ended.code)} after ${took} ms: ${ended.stderr.slice(0, 120)}`,
        );
    }
    return ended;
  }

  async #killed(args: readonly string[], { records, afterMs }: CommandKill): Promise<Ended> {
    const kill = new AbortController();
    const from = await this.#controlEnd();
    const ended = new AbortController();
    const command = residencyCommand(this.#deployment.folder, args, kill.signal).finally(() => {
      ended.abort();
    });
    while (!ended.signal.aborted && (await this.#controlEnd()) < from + BigInt(records))
      await sleep(LOOK_EVERY_MS);
    await sleep(afterMs);
    kill.abort();
    return await command;
  }

  async #controlEnd(): Promise<bigint> {
    try {
      return (await this.#deployment.log.ends(TOPICS.control)).get(0) ?? 0n;
    } catch {
      // The broker is down.
      return -1n;
    }
  }

  async #until(done: () => Promise<boolean>): Promise<void> {
    const deadline = performance.now() + WITHIN_MS;
    while (!(await done())) {
      if (performance.now() > deadline)
        throw new Error(
          `Expected the operator to succeed, found that every repetition failed: ${this.repeated.slice(-3).join('\n')}`,
        );
      await sleep(AGAIN_AFTER_MS);
    }
  }
}
