import { parseInstant } from '@residency/residency';
import { z } from 'zod';
import { POSITION } from './position.ts';

/** Fields of several formats. docs/formats/schemas names and describes each (`json-schemas.ts`). */

/** A SHA-256; also a submission id. */
export const hex64 = z.string().regex(/^[0-9a-f]{64}$/);

/** A region's id, which is part of topic names. */
export const region = z.string().regex(/^[a-z0-9][a-z0-9.-]{0,63}$/);

/** SHA-256 of the event before this one in its chain; `null`: it is the first. */
export const previous = hex64.nullable();

export const position = z.string().regex(POSITION, 'no position');

/** Makes the digest of a record unguessable, which a ledger shows (docs/formats/record-leaf.md). */
export const salt = z.string().regex(/^[0-9a-f]{32}$/, 'not 32 lower-case hex digits');

/** RFC 3339, or a date as 00:00Z. */
export const instant = z
  .string()
  .refine((text) => parseInstant(text) !== undefined, 'not RFC 3339');

/** Names an order to erase or a hold: an object's metadata name it too, so it is ASCII. */
export const erasureAct = z
  .string()
  .regex(/^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/, 'no UUID in lower case');

export const consentId = z
  .string()
  .regex(/^[A-Za-z0-9_-]{8,128}$/, 'not 8 to 128 of A-Z a-z 0-9 _ -');
