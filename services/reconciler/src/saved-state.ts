import { sha256 } from '@residency/contracts';
import { z } from 'zod';
import { ReconcilerError } from './reconciler-error.ts';

const count = z.int().min(0);
const counts = z.record(z.string(), count);
const finding = z.strictObject({
  code: z.string(),
  site: z.string(),
  listed: z.boolean(),
  run: count,
});
const beyond = z.strictObject({
  code: z.string(),
  site: z.string(),
  listed: z.boolean(),
  known: count,
  seen: count,
});
const pass = z.strictObject({
  began: z.number(),
  run: count,
  checked: count,
  upTo: z.record(z.string(), z.string().regex(/^\d{1,19}$/)),
  byCode: counts,
});
const schema = z.strictObject({
  /** Whose state it is: the log and its cluster. */
  log: z.string(),
  cluster: z.string(),
  /** Runs begun. */
  runs: count,
  /** By site. `place`: where it was; `checkedSince`: the begin of the last whole pass; `pass`: the one under way. */
  sites: z.record(
    z.string(),
    z.strictObject({
      place: z.string(),
      checkedSince: z.number().optional(),
      pass: pass.optional(),
    }),
  ),
  /** What the last whole pass found. */
  byCode: counts,
  findings: z.strictObject({
    named: z.array(z.tuple([z.string(), finding])),
    beyond: z.array(beyond),
  }),
});

export type SavedState = z.infer<typeof schema>;

const FORMAT = 'residency-reconciler/1';

/** A line that names the format and the SHA-256 of the next one, which is JSON. */
export function encodeState(state: SavedState): Buffer {
  const text = JSON.stringify(state);
  return Buffer.from(`${FORMAT} ${sha256(Buffer.from(text))}\n${text}\n`);
}

/** Throws `STATE_DAMAGED` (stop) for other bytes than were written. */
export function decodeState(bytes: Buffer): SavedState {
  const [head, text = ''] = bytes.toString('utf8').split('\n');
  if (head !== `${FORMAT} ${sha256(Buffer.from(text))}`) throw damaged();
  const parsed = schema.safeParse(JSON.parse(text));
  if (!parsed.success) throw damaged();
  return parsed.data;
}

function damaged(): ReconcilerError {
  return new ReconcilerError({
    code: 'STATE_DAMAGED',
    remedy: 'stop',
    message:
      "Expected the reconciler's state as one wrote it, found other bytes. It is set aside, and the pass begins anew: what stands in the wrong place is found again, and counted again.",
  });
}
