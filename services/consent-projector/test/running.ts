import { eventually } from '@residency/testkit';
import type { ConsentProjection } from '../src/ports/consent-projection.ts';
import type { DiagnosticFields, ProjectorDiagnostics } from '../src/ports/projector-diagnostics.ts';
import { project } from '../src/project.ts';
import type { ProjectOptions, ProjectorProgress } from '../src/project.ts';
import type { MemoryConsentLog } from './memory-consent-log.ts';

/** A projector at work. */
export interface Running {
  readonly said: readonly {
    readonly level: string;
    readonly message: string;
    readonly fields?: DiagnosticFields | undefined;
  }[];
  readonly progress: readonly ProjectorProgress[];
  /** Settles when it ends. */
  readonly ended: Promise<void>;
  readonly stop: () => Promise<void>;
}

export function run(
  options: Pick<ProjectOptions, 'source' | 'projection'> & Partial<ProjectOptions>,
): Running {
  const abort = new AbortController();
  const said: { level: string; message: string; fields?: DiagnosticFields | undefined }[] = [];
  const progress: ProjectorProgress[] = [];
  const say =
    (level: string) =>
    (message: string, fields?: DiagnosticFields): void => {
      said.push({ level, message, fields });
    };
  const diagnostics: ProjectorDiagnostics = {
    info: say('info'),
    warn: say('warn'),
    error: say('error'),
  };
  const ended = project({
    backOff: { firstMs: 1, mostMs: 5 },
    signal: abort.signal,
    diagnostics,
    onProgress: (one) => {
      progress.push(one);
    },
    ...options,
  });
  // A caller that awaits `ended` gets the error; it must not count as unhandled.
  ended.catch(() => {});
  return {
    said,
    progress,
    ended,
    stop: async () => {
      abort.abort();
      await ended;
    },
  };
}

/** Once the projection has read all of the log. */
export async function caughtUp(
  log: MemoryConsentLog,
  projection: ConsentProjection,
): Promise<void> {
  const end = await log.end();
  await eventually(async () => {
    try {
      return ((await projection.position())?.next ?? 0n) >= end ? true : undefined;
    } catch {
      return undefined;
    }
  });
}
