import type { ViewPosition } from '@residency/adapter-redis';
import { formatInstant } from '@residency/residency';
import { ok, wrong } from './finding.ts';
import type { Finding } from './finding.ts';
import { secondsText } from './seconds-text.ts';

const CHECK = 'consent view';
const FRESH_MS = 10_000;

export function judgeConsentView({ watermark, halted }: ViewPosition, now: number): Finding {
  const at = `complete up to ${formatInstant(watermark)}, ${secondsText(Math.max(0, now - watermark))} ago`;
  if (halted)
    return wrong(
      CHECK,
      `halted: the consent log's append time went back; ${at}`,
      "Routing waits; do what the projector's error says.",
    );
  if (now - watermark > FRESH_MS)
    return wrong(
      CHECK,
      at,
      'Routing waits: see whether a consent projector runs and what its log says.',
    );
  return ok(CHECK, at);
}
