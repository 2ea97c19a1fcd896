/** A message to a guard. When the channel closes, the guard deletes its folder and its servers end. */
export type GuardOrder =
  | {
      readonly order: 'start';
      readonly server: string;
      readonly command: string;
      readonly args: readonly string[];
    }
  | { readonly order: 'signal'; readonly server: string; readonly signal: NodeJS.Signals };

/** A message from a guard. */
export type GuardNews =
  | { readonly news: 'ready'; readonly folder: string }
  | { readonly news: 'started'; readonly server: string; readonly pid: number }
  | { readonly news: 'output'; readonly server: string; readonly text: string }
  | { readonly news: 'ended'; readonly server: string; readonly how: string };
