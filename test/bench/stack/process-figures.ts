import { readFileSync } from 'node:fs';

/** Of /proc on every Linux that Node runs on. */
const TICKS_A_SECOND = 100;

/** User and system time of all threads of a process so far. */
export function cpuSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /s, '')
    .split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS_A_SECOND;
}

/** `VmRSS`: in memory now. `VmHWM`: at most so far. */
export function residentBytes(pid: number, which: 'VmRSS' | 'VmHWM'): number {
  const [, kilobytes] =
    new RegExp(String.raw`^${which}:\s+(\d+) kB$`, 'm').exec(
      readFileSync(`/proc/${pid}/status`, 'utf8'),
    ) ?? [];
  return Number(kilobytes) * 1024;
}

/** What all cores together spent not idle, whoever used them. */
function machineSeconds(): number {
  const [, user = 0, nice = 0, system = 0, , , interrupts = 0, softInterrupts = 0] = (
    readFileSync('/proc/stat', 'utf8').split('\n')[0] ?? ''
  )
    .split(/\s+/)
    .map(Number);
  return (user + nice + system + interrupts + softInterrupts) / TICKS_A_SECOND;
}

/** Who is watched: processes by what they stand for. */
export type Parties = Readonly<Record<string, readonly number[]>>;

interface Reading {
  readonly at: number;
  readonly machine: number;
  readonly parties: Readonly<Record<string, number>>;
}

export function readCpu(parties: Parties): Reading {
  return {
    at: performance.now(),
    machine: machineSeconds(),
    parties: Object.fromEntries(
      Object.entries(parties).map(([party, pids]) => [
        party,
        pids.reduce((sum, pid) => sum + cpuSeconds(pid), 0),
      ]),
    ),
  };
}

export interface CpuUse {
  /** CPU seconds of each party. */
  readonly seconds: Readonly<Record<string, number>>;
  /** How many cores each had, and `machine`: all programs together, those that are no part of this too. */
  readonly cores: Readonly<Record<string, number>>;
}

export function cpuBetween(from: Reading, to: Reading): CpuUse {
  const elapsed = (to.at - from.at) / 1e3;
  const seconds = Object.fromEntries(
    Object.entries(to.parties).map(([party, value]) => [party, value - (from.parties[party] ?? 0)]),
  );
  const all = { ...seconds, machine: to.machine - from.machine };
  return {
    seconds,
    cores: Object.fromEntries(
      Object.entries(all).map(([party, value]) => [party, value / elapsed]),
    ),
  };
}
