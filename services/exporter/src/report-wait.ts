import { hasCode } from '@residency/coded-error';
import type { SharedWait } from '@residency/operations';
import type { ExportedSource } from '@residency/telemetry';

/** Silence is no news beside a reason: a source that alternates between both would fill the log. */
export function reportWait(waiting: SharedWait, source: ExportedSource, error: unknown): void {
  if (!hasCode(error, 'SOURCE_LATE') || !waiting.has(source)) waiting.of(source, error);
}
