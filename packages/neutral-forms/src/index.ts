export { NEUTRAL_FORM_ERROR_CODES, NeutralFormError } from './neutral-form-error.ts';
export type { NeutralFormErrorCode } from './neutral-form-error.ts';
export { DEFAULT_FORM, FORMS, neutralise } from './neutralise.ts';
export type { Form, NeutralFile, SampleNames } from './neutralise.ts';
export { PASSWORD } from './zip.ts';
