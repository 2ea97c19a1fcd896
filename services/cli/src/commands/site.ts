import type { Command } from 'commander';
import type { SiteOptions } from '../cluster/sites.ts';
import { answering, describe, group } from '../command.ts';
import type { Answer } from '../command.ts';
import type { Session } from '../session.ts';

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
      .action(
        answering(answer, async (options: SiteOptions, sites: readonly string[]) => {
          // Loaded only where it is asked for: S3's client comes with it.
          const { eachSite } = await import('../cluster/sites.ts');
          return await eachSite(session, options, sites, name);
        }),
      );
  };
  under(
    'init',
    "Put a site's marker into its bucket, which must exist and be empty, and prove that the store creates without overwriting.",
  );
  under(
    'check',
    "Read a site's marker: is the bucket this site's? Ends with 1 where one is another's.",
  );
}
