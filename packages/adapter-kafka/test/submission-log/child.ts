import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { KafkaSettings } from '../../src/kafka-settings.ts';
import type { KafkaSubmissionLogOptions } from '../../src/submission-log/options.ts';

export interface ChildPlan {
  readonly settings: KafkaSettings;
  readonly options: Partial<KafkaSubmissionLogOptions>;
  /** How long a batch takes. */
  readonly paceMs: number;
  /** The batch, counted from 1, that waits for `go`. */
  readonly holdFrom?: number;
}

/** A process of its own. */
export interface Child {
  readonly lines: readonly (readonly unknown[])[];
  /** Resolves once it has said `what` so often; rejects if it ends before. */
  readonly said: (what: string, count?: number) => Promise<void>;
  readonly count: (what: string) => number;
  readonly go: () => void;
  readonly signal: (name: 'SIGKILL' | 'SIGSTOP' | 'SIGCONT' | 'SIGTERM') => void;
  /** Its exit code, `null` where it was killed. */
  readonly exit: Promise<number | null>;
}

export function startConsumer(plan: ChildPlan): Child {
  return startChild(new URL('./children/consume.ts', import.meta.url), plan);
}

/** Runs a script whose argument is `plan`. It says what it does, one JSON array a line. */
export function startChild(script: URL, plan: unknown): Child {
  const child = spawn(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', fileURLToPath(script), JSON.stringify(plan)],
    { stdio: ['pipe', 'pipe', 'inherit'] },
  );
  const lines: (readonly unknown[])[] = [];
  const reader = createInterface({ input: child.stdout }).on('line', (line) =>
    lines.push(JSON.parse(line) as unknown[]),
  );
  const exit = once(child, 'exit').then(([code]: (number | null)[]) => code ?? null);
  const count = (what: string): number => lines.filter(([first]) => first === what).length;
  return {
    lines,
    exit,
    count,
    said: async (what, times = 1) => {
      while (count(what) < times) {
        const over = await Promise.race([
          once(reader, 'line').then(() => false),
          exit.then(() => true),
        ]);
        if (over && count(what) < times)
          throw new Error(
            `Expected the child to say ${what}, it ended after ${JSON.stringify(lines.slice(-5))}.`,
          );
      }
    },
    go: () => {
      child.stdin.write('go\n');
    },
    signal: (name) => {
      child.kill(name);
    },
  };
}
