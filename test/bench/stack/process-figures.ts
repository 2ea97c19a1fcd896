import { readFileSync, readdirSync } from 'node:fs';

/** Of /proc on every Linux that Node runs on. */
const TICKS_A_SECOND = 100;

/** A process's fields of proc_pid_stat(5), numbered as there; the command's name may hold spaces. */
function statOf(pid: number, first: number, last: number): readonly number[] {
  return readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /s, '')
    .split(' ')
    .slice(first - 3, last - 2)
    .map(Number);
}

export function sessionIdOf(pid: number): number {
  return statOf(pid, 6, 6)[0] ?? 0;
}

/** User and system time of all threads of a process so far. */
function cpuSeconds(pid: number): number {
  return statOf(pid, 14, 15).reduce((sum, ticks) => sum + ticks, 0) / TICKS_A_SECOND;
}

/** The same, and that of its ended children that it waited for, and of theirs. */
export function cpuSecondsWithEnded(pid: number): number {
  return statOf(pid, 14, 17).reduce((sum, ticks) => sum + ticks, 0) / TICKS_A_SECOND;
}

/** Seconds of all living threads of a process so far. */
export interface Scheduled {
  readonly ran: number;
  /** Ready to run, while others had the cores. */
  readonly waited: number;
}

export const NOT_SCHEDULED: Scheduled = { ran: 0, waited: 0 };

/** From `/proc/<pid>/task/<tid>/schedstat`. */
export function scheduled(pid: number): Scheduled {
  return readdirSync(`/proc/${pid}/task`).reduce((sum, thread) => {
    const [ran = 0, waited = 0] = textOfThread(pid, thread).split(' ').map(Number);
    return { ran: sum.ran + ran / 1e9, waited: sum.waited + waited / 1e9 };
  }, NOT_SCHEDULED);
}

/** Empty if the thread ended since it was listed. */
function textOfThread(pid: number, thread: string): string {
  try {
    return readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8');
  } catch {
    return '0 0';
  }
}

/** `VmRSS`: current memory. `VmHWM`: the highest so far. */
export function residentBytes(pid: number, which: 'VmRSS' | 'VmHWM'): number {
  const [, kilobytes] =
    new RegExp(String.raw`^${which}:\s+(\d+) kB$`, 'm').exec(
      readFileSync(`/proc/${pid}/status`, 'utf8'),
    ) ?? [];
  return Number(kilobytes) * 1024;
}

/** The busy time of all cores together, for all programs. */
function machineSeconds(): number {
  const [, user = 0, nice = 0, system = 0, , , interrupts = 0, softInterrupts = 0] = (
    readFileSync('/proc/stat', 'utf8').split('\n')[0] ?? ''
  )
    .split(/\s+/)
    .map(Number);
  return (user + nice + system + interrupts + softInterrupts) / TICKS_A_SECOND;
}

/** What is measured: one or more processes. */
export interface Subject {
  /** User and system time so far. */
  readonly cpuSeconds: () => number;
  readonly scheduled: () => Scheduled;
  readonly peakBytes: () => number;
}

/** Processes that live as long as they are measured, and so do their threads. */
export function subjectOf(pids: readonly number[]): Subject {
  return {
    // Finer than the ticks of `/proc/<pid>/stat`.
    cpuSeconds: () => sumOf(pids, (pid) => scheduled(pid).ran),
    scheduled: () => ({
      ran: sumOf(pids, (pid) => scheduled(pid).ran),
      waited: sumOf(pids, (pid) => scheduled(pid).waited),
    }),
    peakBytes: () => sumOf(pids, (pid) => residentBytes(pid, 'VmHWM')),
  };
}

function sumOf(pids: readonly number[], value: (pid: number) => number): number {
  return pids.reduce((sum, pid) => sum + value(pid), 0);
}

/** The processes besides the measured ones, by role. */
export type Beside = Readonly<Record<string, readonly number[]>>;

export interface Reading {
  readonly at: number;
  readonly machine: number;
  readonly scheduled: Scheduled;
  readonly parties: Readonly<Record<string, number>>;
}

export function readCpu(subject: Subject, beside: Beside): Reading {
  return {
    at: performance.now(),
    machine: machineSeconds(),
    scheduled: subject.scheduled(),
    parties: {
      measured: subject.cpuSeconds(),
      ...Object.fromEntries(
        Object.entries(beside).map(([party, pids]) => [party, sumOf(pids, cpuSeconds)]),
      ),
    },
  };
}

export interface CpuUse {
  /** CPU seconds of what is measured. */
  readonly cpuSeconds: number;
  /** The cores that each used, and `machine`: all programs together, including unrelated ones. */
  readonly cores: Readonly<Record<string, number>>;
  /** Of the time in which its threads were ready to run, the share in which they ran; 0 to 1. */
  readonly share: number;
}

export function cpuBetween(from: Reading, to: Reading): CpuUse {
  const elapsed = (to.at - from.at) / 1e3;
  const seconds = Object.fromEntries(
    Object.entries(to.parties).map(([party, value]) => [party, value - (from.parties[party] ?? 0)]),
  );
  const [ran, waited] = [
    to.scheduled.ran - from.scheduled.ran,
    to.scheduled.waited - from.scheduled.waited,
  ];
  return {
    cpuSeconds: seconds['measured'] ?? 0,
    cores: Object.fromEntries(
      Object.entries({ ...seconds, machine: to.machine - from.machine }).map(([party, value]) => [
        party,
        value / elapsed,
      ]),
    ),
    share: ran + waited > 0 ? ran / (ran + waited) : 1,
  };
}
