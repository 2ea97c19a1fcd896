import { EXIT } from '../terminal/exit-code.ts';
import type { ExitCode } from '../terminal/exit-code.ts';
import { startProgress } from '../terminal/progress.ts';
import type { Session } from '../terminal/session.ts';
import { bytesText, counted, grouped, table } from '../terminal/table.ts';
import type { Result } from './sample-getter.ts';

const MOST_LISTED = 20;

/** Counts what became of each submission, and prints it as it happens. */
export class GetTally {
  readonly #session: Session;
  readonly #json: boolean;
  readonly #total: number | undefined;
  readonly #progress;
  readonly #counts = new Map<Result['state'], number>();
  readonly #listed: [name: string, file: string, bytes: number][] = [];
  #bytes = 0;
  #noted = 0;

  /** `total`: how many there are, if it is known. */
  constructor(session: Session, json: boolean, total: number | undefined) {
    this.#session = session;
    this.#json = json;
    this.#total = total;
    this.#progress = startProgress(session, 'Getting samples');
  }

  async add(result: Result): Promise<void> {
    // The end says so of all that were not asked for.
    if (result.state === 'not-asked') return;
    this.#counts.set(result.state, this.#count(result.state) + 1);
    this.#progress.update(this.#done, this.#total);
    if (result.state === 'saved') this.#bytes += result.bytes;
    if (this.#json) {
      await this.#session.output.json(result);
      return;
    }
    if (result.state === 'saved' || result.state === 'present') {
      if (this.#listed.length < MOST_LISTED)
        this.#listed.push([nameOf(result), result.file, result.bytes]);
      return;
    }
    this.#noted += 1;
    if (this.#noted <= MOST_LISTED) this.#session.output.note(sentenceOf(result));
  }

  stop(): void {
    this.#progress.stop();
  }

  /** `stopped`: why the rest was not asked for. */
  async finish(stopped: string | undefined): Promise<void> {
    const { output } = this.#session;
    const listed = this.#count('saved') + this.#count('present');
    if (!this.#json && listed > 0) {
      await output.lines(table(['submission', 'file', 'bytes'], this.#listed));
      const more = listed - this.#listed.length;
      if (more > 0) await output.line(`and ${grouped(more)} more (--json lists all)`);
    }
    if (this.#noted > MOST_LISTED)
      output.note(`And ${grouped(this.#noted - MOST_LISTED)} more such (--json lists all).`);
    output.note(`${this.#summary()}.`);
    if (stopped !== undefined)
      output.note(
        `Nothing more was asked for, because the vault would refuse each (${stopped}). Once that is corrected, repeat the command with --again.`,
      );
    else if (this.#count('over') + this.#count('refused') > 0)
      output.note(
        '--again asks anew for what is over or was refused; each is another access, with its own event.',
      );
  }

  /** `stopped`: as for `finish`. */
  exitCode(stopped: string | undefined): ExitCode {
    const good = this.#count('saved') + this.#count('present');
    if (stopped !== undefined || good + this.#count('away') < this.#done) return EXIT.found;
    return this.#count('away') > 0 ? EXIT.unreachable : EXIT.done;
  }

  #count(state: Result['state']): number {
    return this.#counts.get(state) ?? 0;
  }

  get #done(): number {
    let done = 0;
    for (const count of this.#counts.values()) done += count;
    return done;
  }

  #summary(): string {
    const also = (state: Result['state'], words: string): string[] =>
      this.#count(state) > 0 ? [`${grouped(this.#count(state))} ${words}`] : [];
    return [
      `Saved ${counted(this.#count('saved'), 'sample')}, ${bytesText(this.#bytes)}`,
      ...also('present', 'already there'),
      ...also('waits', 'waiting for approvals'),
      ...also('over', 'over'),
      ...also('refused', 'refused'),
      ...also('away', 'not reachable now'),
      ...also('taken', 'whose name another file has'),
      ...also('invalid', 'no submission'),
    ].join('; ');
  }
}

function nameOf({ submission, access }: Result): string {
  return submission ?? access ?? '';
}

type Failed = Exclude<Result, { readonly state: 'saved' | 'present' | 'not-asked' }>;

function sentenceOf(result: Failed): string {
  const name = nameOf(result);
  switch (result.state) {
    case 'waits':
      return `Waits: ${name}: access ${result.access} needs ${result.missingApprovals === undefined ? 'approvals' : counted(result.missingApprovals, 'approval')}${result.until === undefined ? '' : ` before ${result.until}`}: \`residency sample approve ${result.access}\`.`;
    case 'over':
      return `Not saved: ${name}: the lifetime of access ${result.access} is over.`;
    case 'refused':
      return `Refused: ${name}: ${result.detail} (${result.code})`;
    case 'away':
      return `Not saved: ${name}: ${result.detail} (${result.code})`;
    case 'taken':
      return `Not saved: ${name}: expected no other file named ${result.file} in the folder, found one, which stays as it is; move it away, or name another --out.`;
    case 'invalid':
      return `Line ${result.line} of the list: expected a submission id, 64 lower-case hex digits, found something else.`;
    default:
      return result satisfies never;
  }
}
