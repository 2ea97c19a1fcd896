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

/** The measured processes by role. */
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
  /** The cores that each used, and `machine`: all programs together, including unrelated ones. */
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
