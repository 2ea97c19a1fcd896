import { Option } from 'commander';
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
  const under = (name: 'init' | 'check', description: string): Command =>
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
  under(
    'init',
    "Put a site's marker into its bucket, which must exist and be empty, and prove that the store creates without overwriting.",
  );
  under(
    'check',
    "Read a site's marker, and see whether its store refuses to overwrite. With --all, sites that are out of service are not asked. Ends with 1 if a bucket is another site's, or its store overwrites.",
  ).addOption(
    new Option(
      '--role <role>',
      'whose credentials are used; as the custodian it also sees whether the store replaces an object only if its condition holds',
    )
      .choices(['router', 'custodian'])
      .default('router'),
  );
  ordering(
    describe(
      site,
      'repair',
      "Order the region's custodian to check every copy in a site, and to make anew what is missing or damaged from another site of the region. What it replaces is kept under damaged/.",
      ['site repair zrh-2', 'site repair zrh-2 --rate 200 --wait --config cluster.env'],
    ),
  ).action(answering(session, answer, async () => (await import('./site-repair.ts')).repairSite));
  ordering(
    describe(
      site,
      'rebuild',
      'Put the marker of a lost site into the empty folder or bucket that took its place, and order every copy again. For the first site of a region, routing must be paused.',
      ['site rebuild zrh-2', 'site rebuild zrh-2 --wait --config cluster.env'],
    ),
  ).action(answering(session, answer, async () => (await import('./site-rebuild.ts')).rebuildSite));
  describe(
    site,
    'backfill',
    'Say how many samples of its region a site has, and how many it is owed. A site that a policy version adds is filled by itself. Ends with 1 while it is owed some.',
    ['site backfill zrh-3', 'site backfill zrh-3 --wait --config cluster.env'],
  )
    .argument('<site>', 'as the policy names it')
    .option('--wait', 'wait until it has all of them')
    .action(
      answering(session, answer, async () => (await import('./site-backfill.ts')).backfillSite),
    );
  describe(
    site,
    'out',
    "Take a site out of service. If it is the region's arbiter, another site becomes the arbiter, and nothing of the region is placed meanwhile; with the register of the region's custodian (RESIDENCY_CUSTODIAN_STATE_DIR) that is short. Ends with 1 if stored samples would have no copy left.",
    [
      'site out zrh-1 --reason "the data centre burned" --config cluster.env',
      'site out zrh-1 --abort --config cluster.env',
    ],
  )
    .argument('<site>', 'as the policy names it')
    .option('--reason <text>', 'why; 1 to 200 characters, recorded for ever')
    .option('--accept-loss', 'even if stored samples have no copy in another site')
    .option('--abort', 'end a change of the arbiter that did not end')
    .action(answering(session, answer, async () => (await import('./site-out.ts')).takeSiteOut));
  describe(
    site,
    'in',
    'Take a site into service again, as a later site, and have every copy in it checked and made.',
    ['site in zrh-1 --config cluster.env'],
  )
    .argument('<site>', 'as the policy names it')
    .action(answering(session, answer, async () => (await import('./site-in.ts')).takeSiteIn));
  describe(
    site,
    'retire',
    'End the use of a later site for good. Reads the copy of each of its samples in another site first, and ends with 1 if one is not good. Its folder or bucket is yours to delete then.',
    ['site retire zrh-3 --reason "the lease ended" --config cluster.env'],
  )
    .argument('<site>', 'as the policy names it')
    .requiredOption('--reason <text>', 'why; 1 to 200 characters, recorded for ever')
    .option(
      '--rate <n>',
      'the most objects read in a second (default: no limit)',
      parseWhole(1, 1_000_000),
    )
    .action(answering(session, answer, async () => (await import('./site-retire.ts')).retireSite));
  describe(
    site,
    'repairs',
    'List the orders to repair a site and what became of them. Ends with 1 if something could not be repaired.',
    ['site repairs', 'site repairs --json --config cluster.env'],
  )
    .option(
      '--report <order>',
      "one order's objects instead, as rclone check names them: - was missing, * differed, ! could not be repaired; the good ones (=) are counted",
    )
    .action(
      answering(session, answer, async () => (await import('./site-repairs.ts')).listRepairs),
    );
}

/** An order of a site's repair, with its options. */
function ordering(command: Command): Command {
  return command
    .argument('<site>', 'as the policy names it')
    .option(
      '--rate <n>',
      'the most objects read in a second (default: no limit)',
      parseWhole(1, 1_000_000),
    )
    .option(
      '--wait',
      'wait until the order is closed; `residency start`, `residency route --once` or the custodian service carries it out. Ends with 1 if something could not be repaired.',
    );
}
