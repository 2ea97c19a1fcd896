import { z } from 'zod';
import { hex64, position, previous, region } from './fields.ts';
import {
  ACCESS_FORMS,
  ACCESS_ID,
  ACCESS_PRINCIPAL,
  ACCESS_REFUSALS,
  PURPOSE_ID,
} from './vocabulary.ts';

export const principal = z.string().regex(ACCESS_PRINCIPAL);
export const purposeId = z.string().regex(PURPOSE_ID);
const accessId = z.string().regex(ACCESS_ID);
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
