import {
  ACCESS_APPROVED,
  ACCESS_REFUSED,
  ACCESS_REQUESTED,
  LOSS_CLOSED,
  LOSS_REFUSED,
  ORDER_CLOSED,
  SAMPLE_ACCESSED,
  SAMPLE_COPIED,
  SAMPLE_ERASED,
  SAMPLE_LOST,
  SAMPLE_NOT_REPAIRED,
} from '@residency/contracts';
import type { AccessForm, AccessRequestedData, CustodyEvent } from '@residency/contracts';
import { defined } from '@residency/defined';
import type { AccessEventState } from './access-states.ts';

/** An event about an access, with what an earlier one says of the same access. */
export interface AccessRow {
  /** By the custodian's clock, milliseconds. */
  readonly at: number;
  readonly region: string;
  readonly state: AccessEventState;
  readonly access: string;
  /** Who asked; who approved; whose request or approval was refused. */
  readonly principal: string;
  readonly purpose?: string;
  readonly form?: AccessForm;
  readonly submission?: string;
  readonly of?: string;
  /** Of the sample in the clear; only of `accessed`. */
  readonly bytes?: number;
  readonly approvedBy?: readonly string[];
  /** How many must approve; only of `requested`. */
  readonly approvals?: number;
  /** RFC 3339. */
  readonly until?: string;
  /** Why; only of `refused`. */
  readonly code?: string;
  /** The keyed digest of the reference. It is not printed. */
  readonly reference?: string;
}

/** Longer than a request lives. */
const KEPT_MS = 48 * 60 * 60 * 1_000;

interface Request {
  readonly at: number;
  readonly data: AccessRequestedData;
}

/** Makes rows of a region's custody events, in their order. Keeps the requests of two days. */
export class AccessRows {
  readonly #requests = new Map<string, Request>();

  /** `undefined`: the event is about no access. */
  rowOf(event: CustodyEvent): AccessRow | undefined {
    const { at } = event;
    switch (event.type) {
      case ACCESS_REQUESTED: {
        const { data } = event;
        this.#keep({ at, data });
        return { at, state: 'requested', ...termsOf(data), approvals: data.approvals };
      }
      case ACCESS_APPROVED: {
        const { region, access, principal } = event.data;
        return { ...this.#termsOf(event.data), at, region, state: 'approved', access, principal };
      }
      case ACCESS_REFUSED: {
        const { region, access, principal, code } = event.data;
        const terms = this.#termsOf(event.data);
        return { ...terms, at, region, state: 'refused', access, principal, code };
      }
      case SAMPLE_ACCESSED: {
        const { bytes, approvedBy } = event.data;
        const terms = termsOf(event.data);
        return { at, state: 'accessed', ...terms, bytes, ...defined({ approvedBy }) };
      }
      case SAMPLE_COPIED:
      case SAMPLE_NOT_REPAIRED:
      case SAMPLE_ERASED:
      case ORDER_CLOSED:
      case SAMPLE_LOST:
      case LOSS_REFUSED:
      case LOSS_CLOSED:
        return undefined;
      default:
        return event satisfies never;
    }
  }

  #keep(request: Request): void {
    const { region, access } = request.data;
    const key = `${region} ${access}`;
    this.#requests.delete(key);
    this.#requests.set(key, request);
    // In the order in which they were kept, so the first ones are the oldest.
    for (const [name, { at }] of this.#requests) {
      if (at >= request.at - KEPT_MS) break;
      this.#requests.delete(name);
    }
  }

  #termsOf(about: { readonly region: string; readonly access: string }): Partial<AccessRow> {
    const request = this.#requests.get(`${about.region} ${about.access}`);
    return request === undefined ? {} : termsOf(request.data);
  }
}

function termsOf({
  region,
  access,
  of,
  submission,
  principal,
  purpose,
  reference,
  form,
  until,
}: Omit<AccessRequestedData, 'approvals'>): Pick<
  AccessRow,
  | 'access'
  | 'form'
  | 'of'
  | 'principal'
  | 'purpose'
  | 'reference'
  | 'region'
  | 'submission'
  | 'until'
> {
  return { region, access, of, submission, principal, purpose, reference, form, until };
}
