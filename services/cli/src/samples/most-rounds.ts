/**
 * A record that came back this often needs another remedy than a redrive: `--reason` skips it without
 * `--again`.
 */
export const MOST_ROUNDS = 3;
