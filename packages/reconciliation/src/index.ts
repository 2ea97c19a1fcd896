export type { FoundObject, SiteReader } from './ports/site-reader.ts';
