/** For a later site that may be owed its copies. */
export const AWAY_AT_START =
  'The site cannot be reached at the start. Samples are stored without it, and it is owed their copies.';

/** The part of a logger that is used. */
export interface LeftOutLogger {
  warn(message: string, fields: { readonly site: string; readonly error: Error }): void;
  info(message: string, fields: { readonly site: string }): void;
}

export interface ReportLeftOutDeps {
  readonly logger: LeftOutLogger;
  readonly leftOut: (site: string, isLeftOut: boolean) => void;
}

/** One log line and one metric for each change. */
export function reportLeftOut({
  logger,
  leftOut,
}: ReportLeftOutDeps): (site: string, failure: Error | undefined) => void {
  return (site, failure) => {
    leftOut(site, failure !== undefined);
    if (failure !== undefined)
      logger.warn(
        'The site failed and is left out. Samples are stored without it, and it is owed their copies.',
        { site, error: failure },
      );
    else logger.info('The site answers and is used again.', { site });
  };
}
