import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';

/** What a server's Java machine is made for. */
export interface JavaTuning {
  /**
   * Compiles for many minutes of load; otherwise it starts with a third less work, which is what
   * most tests wait for.
   */
  readonly longRunning: boolean;
  /** Where it writes at its end which classes it loaded; absent: nowhere. */
  readonly recordTo?: string | undefined;
}

/** The arguments that run a main class of a folder of jars. */
export function javaArguments(
  jars: string,
  main: string,
  options: readonly string[],
  { longRunning, recordTo }: JavaTuning,
): string[] {
  const archive = archiveOf(jars, main);
  return [
    '-XX:+UseSerialGC',
    '-Djava.awt.headless=true',
    ...(longRunning ? [] : ['-XX:TieredStopAtLevel=1']),
    ...(recordTo === undefined ? [] : [`-XX:ArchiveClassesAtExit=${recordTo}`]),
    // Another Java than the one that wrote it goes without.
    ...(recordTo === undefined && existsSync(archive)
      ? [`-XX:SharedArchiveFile=${archive}`, '-Xlog:cds=off', '-Xlog:cds+dynamic=off']
      : []),
    ...options,
    '-cp',
    join(jars, '*'),
    main,
  ];
}

/** The classes of a server as Java holds them in memory (class-archive.ts). */
export function archiveOf(jars: string, main: string): string {
  return join(jars, `${main}.jsa`);
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
