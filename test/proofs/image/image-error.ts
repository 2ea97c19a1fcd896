import { CodedError } from '@residency/coded-error';

export const IMAGE_ERROR_CODES = ['ENGINE_UNAVAILABLE', 'BASE_UNAVAILABLE'] as const;

/** What the proof needs of this machine is not there: nothing was shown. */
export class ImageError extends CodedError<(typeof IMAGE_ERROR_CODES)[number]> {}

export function engineUnavailable(found: string, cause?: unknown): ImageError {
  return new ImageError({
    code: 'ENGINE_UNAVAILABLE',
    remedy: 'stop',
    message: `Expected a container engine, or Linux, root and Debian's packages to start one; found ${found}. Start an engine (DOCKER_HOST), or run this on a machine that has one.`,
    cause,
  });
}

export function baseUnavailable(image: string, found: string, cause?: unknown): ImageError {
  return new ImageError({
    code: 'BASE_UNAVAILABLE',
    remedy: 'stop',
    message: `Expected the base image ${image}, or root and debootstrap to make another; found ${found}. Pull it, or name one with --base.`,
    cause,
  });
}
