import type { Answer } from '../answer.ts';
import type { Scheduler } from '../scheduler.ts';
import { protocolError } from './protocol-error.ts';

export interface Joined {
  readonly generation: number;
  readonly partitions: readonly number[];
}

interface Member {
  readonly id: string;
  readonly sessionMs: number;
  lastSeen: number;
  joining: Answer<Joined> | undefined;
  generation: number;
}

/**
 * A group's coordinator: members, generations, sessions. The partitions of one topic are dealt out
 * in turn.
 */
export class Group {
  readonly #scheduler: Scheduler;
  readonly #partitions: () => number;
  readonly #members = new Map<string, Member>();
  /** When each process last had an answer of the group. */
  readonly #heard = new Map<string, number>();
  #generation = 0;
  #rebalancing = false;
  #round = 0;

  constructor(scheduler: Scheduler, partitions: () => number) {
    this.#scheduler = scheduler;
    this.#partitions = partitions;
  }

  join(id: string, sessionMs: number, answer: Answer<Joined>): void {
    let member = this.#members.get(id);
    if (member === undefined) {
      member = { id, sessionMs, lastSeen: this.#scheduler.now, joining: undefined, generation: -1 };
      this.#members.set(id, member);
      this.#watch(member);
    }
    member.joining = answer;
    member.lastSeen = this.#scheduler.now;
    this.#rebalance();
    this.#completeIfAll();
  }

  /** Throws as the broker answers. */
  heartbeat(id: string, generation: number): void {
    const member = this.#members.get(id);
    if (member === undefined) throw protocolError('UNKNOWN_MEMBER_ID');
    member.lastSeen = this.#scheduler.now;
    if (this.#rebalancing) throw protocolError('REBALANCE_IN_PROGRESS');
    if (member.generation !== generation) throw protocolError('ILLEGAL_GENERATION');
  }

  leave(id: string): void {
    if (!this.#members.delete(id)) return;
    if (this.#members.size === 0) return;
    this.#rebalance();
    this.#completeIfAll();
  }

  /** Somebody's own doing, such as a coordinator that moved. */
  rebalance(): void {
    if (this.#members.size > 0) this.#rebalance();
  }

  /** An answer of the group arrived at a process: it is a member. */
  heard(process: string): void {
    this.#heard.set(process, this.#scheduler.now);
  }

  /** How long ago a process had the group's last answer, milliseconds. */
  silenceOf(process: string): number {
    return this.#scheduler.now - (this.#heard.get(process) ?? -Infinity);
  }

  #rebalance(): void {
    if (this.#rebalancing) return;
    this.#rebalancing = true;
    const round = (this.#round += 1);
    const patience = Math.max(...[...this.#members.values()].map(({ sessionMs }) => sessionMs), 0);
    // Who did not join again by then is out.
    this.#scheduler.after(patience, undefined, 'kafka rebalance time-out', () => {
      if (!this.#rebalancing || this.#round !== round) return;
      for (const member of this.#members.values())
        if (member.joining === undefined) this.#members.delete(member.id);
      this.#complete();
    });
  }

  #completeIfAll(): void {
    if (
      this.#rebalancing &&
      [...this.#members.values()].every(({ joining }) => joining !== undefined)
    )
      this.#complete();
  }

  #complete(): void {
    this.#rebalancing = false;
    this.#generation += 1;
    const members = [...this.#members.values()].toSorted((a, b) => (a.id < b.id ? -1 : 1));
    const partitions = Array.from({ length: this.#partitions() }, (_, partition) => partition);
    for (const [index, member] of members.entries()) {
      member.generation = this.#generation;
      member.lastSeen = this.#scheduler.now;
      const { joining } = member;
      member.joining = undefined;
      joining?.ok({
        generation: this.#generation,
        partitions: partitions.filter(
          (partition) => (partition + this.#generation) % members.length === index,
        ),
      });
    }
  }

  #watch(member: Member): void {
    const check = (): void => {
      if (this.#members.get(member.id) !== member) return;
      const due = member.lastSeen + member.sessionMs - this.#scheduler.now;
      if (due > 0 || member.joining !== undefined) {
        this.#scheduler.after(Math.max(due, 100), undefined, 'kafka session check', check);
        return;
      }
      this.#members.delete(member.id);
      if (this.#members.size > 0) {
        this.#rebalance();
        this.#completeIfAll();
      }
    };
    this.#scheduler.after(member.sessionMs, undefined, 'kafka session check', check);
  }
}
