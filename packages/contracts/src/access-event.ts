import { z } from 'zod';
import { hex64, position, previous, region } from './fields.ts';
import { ACCESS_FORMS, ACCESS_REFUSALS } from './vocabulary.ts';

/** A pseudonym: the link to a name is kept elsewhere, so that it can be erased. */
export const principal = z.string().regex(/^[a-z0-9][a-z0-9._-]{0,63}$/);
export const purposeId = z.string().regex(/^[a-z0-9][a-z0-9-]{0,63}$/);
/** A UUID of version 7 (RFC 9562 §5.7), which the asker makes. */
export const accessId = z
  .string()
  .regex(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
const instant = z.iso.datetime({ precision: 3 });

const asked = {
  previous,
  region,
  access: accessId,
  /** The position of the `stored` event. */
  of: position,
  submission: hex64,
  /** Who asked. */
  principal,
  purpose: purposeId,
  /** HMAC-SHA-256 of the reference that the asker gave. */
  reference: hex64,
  form: z.enum(ACCESS_FORMS),
  /** Nothing is given out at this instant or later. */
  until: instant,
};

export const accessData = {
  requested: z.strictObject({
    ...asked,
    /** How many others must approve. */
    approvals: z.int().positive(),
  }),
  approved: z.strictObject({
    previous,
    region,
    access: accessId,
    /** Who approved. */
    principal,
  }),
  refused: z.strictObject({
    previous,
    region,
    access: accessId,
    /** Whose request, or whose approval, was refused. */
    principal,
    code: z.enum(ACCESS_REFUSALS),
  }),
  accessed: z.strictObject({
    ...asked,
    /** Of the sample in the clear. */
    bytes: z.int().positive(),
    /** Who approved; absent: nobody had to. */
    approvedBy: z.array(principal).min(1).optional(),
  }),
};

export type AccessRequestedData = z.infer<typeof accessData.requested>;
export type AccessApprovedData = z.infer<typeof accessData.approved>;
export type AccessRefusedData = z.infer<typeof accessData.refused>;
export type AccessedData = z.infer<typeof accessData.accessed>;
