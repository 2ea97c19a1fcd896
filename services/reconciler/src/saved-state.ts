import { sha256 } from '@residency/contracts';
import { tryReadJson } from '@residency/residency';
import { z } from 'zod';
import { ReconcilerError } from './reconciler-error.ts';

const count = z.int().min(0);
const counts = z.record(z.string(), count);
const difference = z.strictObject({
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
  /** The log and the cluster that the state belongs to. */
  log: z.string(),
  cluster: z.string(),
  /** The number of runs so far. */
  runs: count,
  /**
   * By site. `place`: its address. `checkedSince`: the begin of the last complete pass. `pass`: the
   * one in progress.
   */
  sites: z.record(
    z.string(),
    z.strictObject({
      place: z.string(),
      checkedSince: z.number().optional(),
      pass: pass.optional(),
    }),
  ),
  /** The result of the last complete pass. */
  byCode: counts,
  findings: z.strictObject({
    named: z.array(z.tuple([z.string(), difference])),
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

/** Throws `STATE_DAMAGED` (stop) if the bytes are not as written. */
export function decodeState(bytes: Buffer): SavedState {
  const [head, text = ''] = bytes.toString('utf8').split('\n');
  if (head !== `${FORMAT} ${sha256(Buffer.from(text))}`) throw damaged();
  const parsed = schema.safeParse(tryReadJson(text));
  if (!parsed.success) throw damaged();
  return parsed.data;
}

function damaged(): ReconcilerError {
  return new ReconcilerError({
    code: 'STATE_DAMAGED',
    remedy: 'stop',
    message:
      "Expected the reconciler's state as a reconciler wrote it, found other bytes. It is set aside, and a new pass begins: misplaced objects are found and counted again.",
  });
}
