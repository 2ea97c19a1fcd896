export interface Benchmark<Options> {
  /** How it is called, with a line feed at the end. */
  readonly usage: string;
  /** Throws a message for the person who typed the options. */
  readonly readOptions: (args: readonly string[]) => Options;
  /** Measures, and returns the table. */
  readonly run: (options: Options) => Promise<string>;
}

/** A benchmark as a command: prints its table. Exit code 2 if its options are wrong. */
export async function runBenchmark<Options>({
  usage,
  readOptions,
  run,
}: Benchmark<Options>): Promise<void> {
  let options: Options;
  try {
    options = readOptions(process.argv.slice(2));
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n${usage}`);
    process.exitCode = 2;
    return;
  }
  process.stdout.write(`${await run(options)}\n`);
}
