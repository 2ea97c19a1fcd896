import { CodedError } from '@residency/coded-error';

/** What every `CustodianSite` throws alike; the rest are errors of its technology. */
export const CUSTODIAN_SITE_ERROR_CODES = ['COPY_TOO_LARGE', 'SET_ASIDE_DIFFERS'] as const;
export type CustodianSiteErrorCode = (typeof CUSTODIAN_SITE_ERROR_CODES)[number];

export class CustodianSiteError extends CodedError<CustodianSiteErrorCode> {}

/** The largest object that a custodian reads, bytes. A router's largest is about 16 MiB. */
export const COPY_BYTES = 64 * 1024 * 1024;

export function copyTooLarge(site: string, key: string): CustodianSiteError {
  return new CustodianSiteError({
    code: 'COPY_TOO_LARGE',
    message: `Expected an object of at most ${COPY_BYTES} bytes under ${key} in site ${site}, found a larger one, which no router wrote. Find out whose it is, and move it out of the site.`,
    remedy: 'park',
  });
}

export function setAsideDiffers(site: string, key: string): CustodianSiteError {
  return new CustodianSiteError({
    code: 'SET_ASIDE_DIFFERS',
    message: `Expected ${key} in site ${site} to be free or to hold the bytes of its digest, found other bytes. Keep them elsewhere and remove them from the site; the sample's object is replaced after that.`,
    remedy: 'park',
  });
}
