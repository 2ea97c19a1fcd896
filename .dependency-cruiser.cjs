// Which package may import what (docs/design.md "The tree"). Type imports count like any other: a
// layer that needs another layer's types depends on it. swc parses, because TypeScript 7 has no
// JavaScript API yet (docs/decisions/0001); the cruiser's warning about a missing TypeScript
// compiler says the same, and test/architecture proves that nothing is missed.

/** L0: plain data and functions. No `node:*`, no vendor, nothing but the foundation. */
const L0 = ['coded-error', 'defined', 'residency', 'consent', 'custody', 'ledger'];
/**
 * L1: contracts and use cases. May import L0 and one another without cycles (docs/decisions/0002).
 */
const L1 = [
  'cloudevents',
  'contracts',
  'configuration',
  'sealing',
  'routing',
  'reconciliation',
  'auditing',
  'custodianship',
  'vault',
  'observation',
  'neutral-forms',
];
/** L2: one technology each. May import L1 and L0, never one another. */
const L2 = [
  'adapter-sqlite',
  'adapter-filesystem',
  'adapter-kafka',
  'adapter-s3',
  'adapter-redis',
  'telemetry',
  'operations',
  'http-server',
  'availability',
];
/** The L0 packages that any other may import. */
const FOUNDATION = ['coded-error', 'defined'];
/** Timers. Beside the layers: L2 and L3 import it, L0 and L1 start no timer. */
const WAITING = 'waiting';
/** L1 packages that may import less than their layer allows. */
const NARROWER = {
  cloudevents: FOUNDATION,
  // The reconciler judges the writers, so it shares nothing with them but hashing, paths, formats and
  // the fold that says where a sample is (`custody`).
  reconciliation: [...L0, 'contracts'],
};
/**
 * The npm packages a package's own code may import. Services may import any they declare that no
 * adapter owns.
 */
const VENDORS = {
  'coded-error': [],
  defined: [],
  residency: [],
  consent: [],
  custody: [],
  custodianship: [],
  vault: ['zod'],
  ledger: ['@noble/hashes'],
  cloudevents: [],
  contracts: ['zod'],
  configuration: ['zod'],
  sealing: ['@aws-crypto/client-node'],
  routing: [],
  reconciliation: [],
  auditing: [],
  observation: [],
  'neutral-forms': ['@zip.js/zip.js'],
  'adapter-sqlite': [],
  'adapter-filesystem': ['p-limit'],
  'adapter-kafka': ['kafkajs', 'p-limit'],
  'adapter-s3': ['@aws-sdk/client-s3', 'p-limit', 'undici'],
  'adapter-redis': ['ioredis'],
  telemetry: ['pino', 'prom-client'],
  operations: ['fastify'],
  'http-server': ['fastify'],
  availability: [],
  waiting: [],
  testkit: ['vitest', 'fast-check'],
  simulation: [],
};
/** Clients of a store or a log: each has exactly one home, tests of that package included. */
const OWNED = {
  kafkajs: 'adapter-kafka',
  '@aws-sdk/client-s3': 'adapter-s3',
  undici: 'adapter-s3',
  ioredis: 'adapter-redis',
  sqlite: 'adapter-sqlite',
};
/** The simulation drives the real code of every layer from above (docs/decisions/0025). */
const SIMULATION = '^packages/simulation/';
/** What it may import besides indexes: files that their package exports for development alone. */
const FOR_DEVELOPMENT = ['^services/auditor/src/kafka-ledger-source\\.ts$'];
const L1_CORE = ['crypto', 'buffer', 'zlib'];
const NETWORK_CORE = [
  'http',
  'https',
  'http2',
  'net',
  'tls',
  'dgram',
  'dns',
  'child_process',
  'cluster',
];

const either = (names) => (names.length === 0 ? '(?!)' : `(?:${names.join('|')})`);
const sourceOf = (...names) => `^packages/${either(names)}/src/`;
const anyOf = (...names) => `^packages/${either(names)}/`;
const core = (...names) => `^(?:node:)?${either(names)}(?:/|$)`;
const npm = (...names) => `(?:^|/)node_modules/(?:@types/)?${either(names)}/`;
const ANY_PACKAGE = '^(?:packages|services)/';
const INDEX = '^(?:packages|services)/[^/]+/src/index\\.ts$';

/** Files that a package exports beside its index, for those who must not load all of it. */
const SUBPATHS = subpaths();

const rule = (name, comment, from, to) => ({ name, comment, severity: 'error', from, to });

function layers() {
  const narrower = Object.keys(NARROWER);
  const ofL1 = L1.filter((name) => !narrower.includes(name));
  return [
    rule(
      'L0-imports-only-the-foundation',
      'Domain code stands on nothing.',
      { path: `^packages/(${L0.join('|')})/src/` },
      { path: ANY_PACKAGE, pathNot: ['^packages/$1/', anyOf(...FOUNDATION)] },
    ),
    rule(
      'L1-imports-only-L1-and-L0',
      'Use cases know ports, not technologies.',
      { path: sourceOf(...ofL1) },
      { path: ANY_PACKAGE, pathNot: anyOf(...L1, ...L0) },
    ),
    ...Object.entries(NARROWER).map(([name, allowed]) =>
      rule(
        `${name}-imports-less-than-its-layer`,
        `Only ${allowed.join(', ')}.`,
        { path: sourceOf(name) },
        { path: ANY_PACKAGE, pathNot: anyOf(name, ...allowed) },
      ),
    ),
    rule(
      'L2-imports-no-other-adapter',
      'An adapter can be swapped alone.',
      { path: '^packages/(adapter-[^/]+|telemetry|operations|availability)/src/' },
      { path: ANY_PACKAGE, pathNot: [anyOf(...L1, ...L0, WAITING), '^packages/$1/'] },
    ),
    rule(
      'http-server-imports-only-operations',
      'An API shares the limits on connections with the port of probes, and nothing else.',
      { path: sourceOf('http-server') },
      { path: ANY_PACKAGE, pathNot: anyOf('http-server', 'operations', ...FOUNDATION) },
    ),
    rule(
      'waiting-imports-only-the-foundation',
      'Any adapter and service may wait without taking anything else along.',
      { path: sourceOf(WAITING) },
      { path: ANY_PACKAGE, pathNot: anyOf(WAITING, ...FOUNDATION) },
    ),
    rule(
      'testkit-imports-no-adapter',
      'Contract suites know ports only.',
      { path: sourceOf('testkit') },
      { path: ANY_PACKAGE, pathNot: anyOf('testkit', ...L1, ...L0) },
    ),
    rule(
      'testkit-only-in-tests',
      'It is for development; it would bring a test runner along.',
      { path: '/src/', pathNot: anyOf('testkit') },
      { path: anyOf('testkit') },
    ),
    rule(
      'no-package-imports-a-service',
      'Services are the top.',
      { path: '^packages/', pathNot: SIMULATION },
      { path: '^services/' },
    ),
    rule(
      'simulation-only-in-its-tests',
      'It replaces clocks, chance and clients of the whole process.',
      { pathNot: SIMULATION },
      { path: SIMULATION },
    ),
    rule(
      'service-imports-no-service',
      'Only standalone composes the others, and the command line starts standalone.',
      { path: '^services/([^/]+)/', pathNot: '^services/(?:standalone|cli)/' },
      { path: '^services/', pathNot: '^services/$1/' },
    ),
    rule(
      'standalone-does-not-import-its-front-door',
      'The command line starts standalone, not the other way round.',
      { path: '^services/standalone/' },
      { path: '^services/cli/' },
    ),
    rule(
      'cli-imports-only-standalone',
      'The command line is a front door, not a second composition.',
      { path: '^services/cli/' },
      { path: '^services/', pathNot: '^services/(?:cli|standalone)/' },
    ),
    rule(
      'source-imports-no-tests',
      'Tests import the code, never the other way round.',
      { path: '/src/' },
      { path: ['^test/', '^(?:packages|services)/[^/]+/test/'] },
    ),
  ];
}

function outside() {
  const known = Object.keys(VENDORS);
  return [
    rule(
      'package-without-layer',
      'Name it in a layer here, so that its arrows are judged.',
      { path: '^packages/[^/]+/', pathNot: anyOf(...known) },
      {},
    ),
    rule(
      'L0-runs-anywhere',
      'No node:* in L0.',
      { path: sourceOf(...L0) },
      { dependencyTypes: ['core'] },
    ),
    rule(
      'L1-touches-no-machine',
      'No file system, network, process or thread in L1.',
      { path: sourceOf(...L1) },
      { dependencyTypes: ['core'], pathNot: core(...L1_CORE) },
    ),
    rule(
      'waiting-has-timers-only',
      'It waits, and does nothing else.',
      { path: sourceOf(WAITING) },
      { dependencyTypes: ['core'], pathNot: core('timers/promises') },
    ),
    rule(
      'L2-opens-no-socket',
      "The network is the vendor client's.",
      { path: sourceOf(...L2) },
      { dependencyTypes: ['core'], path: core(...NETWORK_CORE) },
    ),
    ...known.map((name) =>
      rule(
        `${name}-vendors`,
        `npm packages: ${VENDORS[name].join(', ') || 'none'}.`,
        { path: sourceOf(name) },
        { path: '(?:^|/)node_modules/', pathNot: npm(...VENDORS[name]) },
      ),
    ),
    ...Object.entries(OWNED).map(([client, owner]) =>
      rule(
        `${client}-only-in-${owner}`,
        'One home for each client.',
        { path: ANY_PACKAGE, pathNot: anyOf(owner) },
        { path: [npm(client), core(client)] },
      ),
    ),
  ];
}

function everywhere() {
  return [
    rule('no-cycles', 'A cycle has no first thing to read.', {}, { circular: true }),
    rule('resolvable', 'Nothing stands behind this import.', {}, { couldNotResolve: true }),
    rule(
      'through-the-index',
      'Across packages only the index, or a file that the package exports beside it.',
      { path: '^(packages|services)/([^/]+)/', pathNot: SIMULATION },
      { path: ANY_PACKAGE, pathNot: ['^$1/$2/', INDEX, ...SUBPATHS] },
    ),
    rule(
      'simulation-through-the-index',
      'Across packages only what the index exports, or what is exported for development.',
      { path: SIMULATION },
      { path: ANY_PACKAGE, pathNot: [SIMULATION, INDEX, ...FOR_DEVELOPMENT] },
    ),
    rule(
      'tests-through-the-index',
      'Across packages only what the index exports; a command is run by its own runner.',
      { path: '^test/' },
      { path: ANY_PACKAGE, pathNot: [INDEX, '^services/cli/test/in-process[.]ts$'] },
    ),
    rule(
      'no-development-dependency-in-source',
      'It is not there in production.',
      { path: '^(?:packages|services)/[^/]+/src/' },
      { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['npm'] },
    ),
    rule(
      'declared',
      "Missing in the package.json beside it and in the root's.",
      {},
      { dependencyTypes: ['npm-no-pkg', 'npm-unknown'] },
    ),
    ...declaredWorkspaces(),
  ];
}

function subpaths() {
  const { readFileSync, globSync } = require('node:fs');
  return globSync('{packages,services}/*/package.json')
    .toSorted()
    .flatMap((path) => {
      const { exports = {} } = JSON.parse(readFileSync(path, 'utf8'));
      const folder = path.replace(/\/package\.json$/, '');
      return Object.entries(exports)
        .filter(([name]) => name !== '.')
        .map(([, file]) => `^${folder}/${file.slice('./'.length).replaceAll('.', '\\.')}$`);
    })
    .filter((path) => !FOR_DEVELOPMENT.includes(path));
}

/**
 * The cruiser does not compare imports of workspaces with `dependencies`: one rule for each package
 * does.
 */
function declaredWorkspaces() {
  const { readFileSync, globSync } = require('node:fs');
  return globSync('{packages,services}/*/package.json')
    .toSorted()
    .map((path) => {
      const folder = path.replace(/\/package\.json$/, '');
      const declared = Object.keys(JSON.parse(readFileSync(path, 'utf8')).dependencies ?? {})
        .filter((name) => name.startsWith('@residency/'))
        .map((name) => name.slice('@residency/'.length));
      return rule(
        `${folder}-declares-workspaces`,
        `Missing in dependencies of ${path}.`,
        { path: `^${folder}/src/` },
        {
          path: ANY_PACKAGE,
          pathNot: [`^${folder}/`, `^(?:packages|services)/${either(declared)}/`],
        },
      );
    });
}

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [...layers(), ...outside(), ...everywhere()],
  options: {
    parser: 'swc',
    tsPreCompilationDeps: true,
    combinedDependencies: true,
    doNotFollow: { path: '(?:^|/)node_modules/' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default'],
      extensions: ['.ts', '.js', '.mjs', '.cjs', '.json'],
    },
  },
};
