/**
 * `npm run bench:forms`: what each form of a 16 MiB sample costs, each round in a process of its
 * own: the highest resident memory above that with the sample alone, and the processor time of all
 * threads.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { loadavg } from 'node:os';
import { setTimeout as pause } from 'node:timers/promises';
import { median, spread, table } from '../../../test/bench/report.ts';
import { FORMS, neutralise } from '../src/index.ts';
import type { Form } from '../src/index.ts';

const MiB = 1024 * 1024;
const ROUNDS = 7;
const SAMPLES: Readonly<Record<string, (bytes: number) => Buffer>> = {
  'no pattern': (bytes) => createHash('shake256', { outputLength: bytes }).update('s').digest(),
  repeating: (bytes) => Buffer.alloc(bytes, 'the same words again and again, '),
};

interface Round {
  readonly bytes: number;
  readonly peak: number;
  readonly cpu: number;
}

/** Linux keeps the highest resident memory since the last reset (proc(5), `clear_refs`). */
function resident(line: 'VmHWM' | 'VmRSS'): number {
  const status = readFileSync('/proc/self/status', 'utf8');
  return Number(new RegExp(`^${line}:\\s*(\\d+) kB$`, 'm').exec(status)?.[1]) / 1024;
}

async function measure(form: Form, kind: string): Promise<Round> {
  const make = SAMPLES[kind] ?? ((bytes) => Buffer.alloc(bytes));
  const warm = make(1024);
  // The code is loaded and compiled before.
  for (let turn = 0; turn < 50; turn += 1) await neutralise(form, warm, named(warm));
  const sample = make(16 * MiB);
  const names = named(sample);
  // What making the sample left behind would count as memory that was there before.
  for (let turn = 0; turn < 3; turn += 1) {
    globalThis.gc?.();
    await pause(50);
  }
  writeFileSync('/proc/self/clear_refs', '5');
  const before = resident('VmRSS');
  const begun = process.cpuUsage();
  const { bytes } = await neutralise(form, sample, names);
  const { user, system } = process.cpuUsage(begun);
  return {
    bytes: bytes.length,
    peak: resident('VmHWM') - before,
    cpu: (user + system) / 1_000,
  };
}

function named(sample: Buffer): { readonly name: string; readonly sha256: string } {
  return { name: 'a', sha256: createHash('sha256').update(sample).digest('hex') };
}

function inAProcess(form: Form, kind: string): Round {
  const round = execFileSync(process.execPath, ['--expose-gc', import.meta.filename, form, kind], {
    encoding: 'utf8',
  });
  return JSON.parse(round);
}

function report(): void {
  const rows = FORMS.flatMap((form) =>
    Object.keys(SAMPLES).map((kind) => {
      const rounds = Array.from({ length: ROUNDS }, () => inAProcess(form, kind));
      const of = (part: keyof Round): string =>
        spread(
          rounds.map((round) => round[part]),
          (value) => value.toFixed(0),
        );
      const file = (median(rounds.map(({ bytes }) => bytes)) / MiB).toFixed(1);
      return [form, kind, file, of('peak'), of('cpu')];
    }),
  );
  process.stdout.write(
    `load ${loadavg()[0]?.toFixed(1)}, ${ROUNDS} rounds\n${table(HEAD, rows)}\n`,
  );
}

const HEAD = ['form', 'sample', 'file MiB', 'peak MiB', 'CPU ms'];
const [, , form, kind] = process.argv;
const asked = FORMS.find((name) => name === form);
if (asked === undefined || kind === undefined) report();
else process.stdout.write(JSON.stringify(await measure(asked, kind)));
