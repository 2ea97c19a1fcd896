import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';

/** What a server's Java machine is made for. */
export interface JavaTuning {
  /** Compiles for many minutes of load; otherwise it starts with a third less work, which is what most tests wait for. */
  readonly longRunning: boolean;
}

/** The arguments that run a main class of a folder of jars. */
export function javaArguments(
  jars: string,
  main: string,
  options: readonly string[],
  { longRunning }: JavaTuning,
): string[] {
  return [
    '-XX:+UseSerialGC',
    '-Djava.awt.headless=true',
    ...(longRunning ? [] : ['-XX:TieredStopAtLevel=1']),
    ...options,
    '-cp',
    join(jars, '*'),
    main,
  ];
}

/** On the PATH or in JAVA_HOME. */
export function java(): string {
  const home = process.env['JAVA_HOME'];
  return home === undefined || home === '' ? 'java' : join(home, 'bin', 'java');
}

/** Runs a main class to its end. */
export async function runJava(jars: string, main: string, args: readonly string[]): Promise<void> {
  await promisify(execFile)(java(), [
    ...javaArguments(jars, main, ['-Xmx256m'], { longRunning: false }),
    ...args,
  ]);
}
