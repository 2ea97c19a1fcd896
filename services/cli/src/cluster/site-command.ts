import type { Command } from 'commander';
import { answering, describe, group } from '../terminal/command.ts';
import type { Answer } from '../terminal/command.ts';
import type { Session } from '../terminal/session.ts';

export function siteCommand(program: Command, session: Session, answer: Answer): void {
  const site = group(program, 'site', "Prepare and check a cluster's object stores.", [
    'site init --all --config cluster.env',
    'site check zrh-1 --config cluster.env',
  ]);
  const under = (name: 'init' | 'check', description: string): void => {
    describe(site, name, description, [
      `site ${name} zrh-1 --config cluster.env`,
      `site ${name} --all --config cluster.env`,
    ])
      .argument('[site...]', 'as the regions file names them')
      .option('--all', 'every site of the regions file')
      .action(answering(session, answer, async () => (await import('./sites.ts')).eachSite[name]));
  };
  under(
    'init',
    "Put a site's marker into its bucket, which must exist and be empty, and prove that the store creates without overwriting.",
  );
  under(
    'check',
    "Read a site's marker, and see whether its store refuses to overwrite. Ends with 1 if a bucket is another site's, or its store overwrites.",
  );
}
