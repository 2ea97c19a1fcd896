import type { Command } from 'commander';
import { answering, describe, group, parseWhole } from '../terminal/command.ts';
import type { Answer } from '../terminal/command.ts';
import type { Session } from '../terminal/session.ts';

export function siteCommand(program: Command, session: Session, answer: Answer): void {
  const site = group(
    program,
    'site',
    "Prepare and check a cluster's object stores, and have a site's copies repaired.",
    [
      'site init --all --config cluster.env',
      'site check zrh-1 --config cluster.env',
      'site repair zrh-2',
      'site out zrh-1 --reason "the data centre burned"',
    ],
  );
  const under = (name: 'init' | 'check', description: string): void => {
    describe(site, name, description, [
      `site ${name} zrh-1 --config cluster.env`,
      `site ${name} --all --config cluster.env`,
    ])
      .argument('[site...]', 'as the regions file names them')
      .option('--all', 'every site of the regions file')
      .action(
        answering(
          session,
          answer,
          async () => (await import('../cluster/sites.ts')).eachSite[name],
        ),
      );
  };
  under(
    'init',
    "Put a site's marker into its bucket, which must exist and be empty, and prove that the store creates without overwriting.",
  );
  under(
    'check',
    "Read a site's marker, and see whether its store refuses to overwrite. Ends with 1 if a bucket is another site's, or its store overwrites.",
  );
  describe(
    site,
    'repair',
    "Order the region's custodian to check every copy in a site, and to make anew what is missing or damaged from another site of the region. What it replaces is kept under damaged/.",
    ['site repair zrh-2', 'site repair zrh-2 --rate 200 --config cluster.env'],
  )
    .argument('<site>', 'as the policy names it')
    .option(
      '--rate <n>',
      'the most objects read in a second (default: no limit)',
      parseWhole(1, 1_000_000),
    )
    .action(answering(session, answer, async () => (await import('./site-repair.ts')).repairSite));
  describe(
    site,
    'out',
    "Take a site out of service. If it is the region's arbiter, another site becomes the arbiter, and nothing of the region is placed meanwhile. Ends with 1 if stored samples would have no copy left.",
    [
      'site out zrh-1 --reason "the data centre burned" --config cluster.env',
      'site out zrh-1 --abort --config cluster.env',
    ],
  )
    .argument('<site>', 'as the policy names it')
    .option('--reason <text>', 'why; 1 to 200 characters, recorded for ever')
    .option('--accept-loss', 'even if stored samples have no copy in another site')
    .option('--abort', 'end a change of the arbiter that did not end')
    .action(
      answering(session, answer, async () => (await import('./site-service.ts')).takeSiteOut),
    );
  describe(
    site,
    'in',
    'Take a site into service again, as a later site, and have every copy in it checked and made.',
    ['site in zrh-1 --config cluster.env'],
  )
    .argument('<site>', 'as the policy names it')
    .action(answering(session, answer, async () => (await import('./site-service.ts')).takeSiteIn));
  describe(
    site,
    'repairs',
    'List the orders to repair a site and what became of them. Ends with 1 if something could not be repaired.',
    ['site repairs', 'site repairs --json --config cluster.env'],
  ).action(answering(session, answer, async () => (await import('./site-repair.ts')).listRepairs));
}
