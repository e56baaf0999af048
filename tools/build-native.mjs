// What `npm ci` in a clone builds: SQLite where no prebuilt one could be fetched, and the addon. A compiler's progress goes to the terminal.
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { performance } from 'node:perf_hooks';

const root = join(import.meta.dirname, '..');
const require = createRequire(join(root, 'package.json'));

function run(program, args, options = {}) {
  const { status, error } = spawnSync(program, args, { cwd: root, stdio: 'inherit', ...options });
  if (status === 0) return;
  console.error(`latentd: ${[program, ...args].join(' ')} failed${error ? `: ${error.message}` : ''}`);
  console.error(
    'latentd: a build needs cmake, g++, make and python3: apt-get install cmake g++ make python3',
  );
  process.exit(1);
}

function sqliteLoads() {
  try {
    new (require('better-sqlite3'))(':memory:').close();
    return true;
  } catch {
    return false;
  }
}

/**
 * better-sqlite3's own install script, which package.json's `allowScripts` leaves to us: it fetches a prebuilt SQLite, or compiles it.
 * Compiling takes three times as long with its -O3 and with parts that a journal of jobs has no use for.
 */
function buildSqlite() {
  const unused = ['FTS3', 'FTS3_PARENTHESIS', 'FTS4', 'FTS5', 'GEOPOLY', 'RTREE', 'STAT4', 'DBSTAT_VTAB'];
  const CFLAGS = ['-O1', ...unused.map((part) => `-USQLITE_ENABLE_${part}`)].join(' ');
  run('npm', ['run', '--silent', 'install'], {
    cwd: dirname(require.resolve('better-sqlite3/package.json')),
    env: { ...process.env, CFLAGS, CXXFLAGS: '-O1 -w' },
    // Its make names every file it touches.
    stdio: ['ignore', 'ignore', 'inherit'],
  });
}

const began = performance.now();
if (!sqliteLoads()) {
  console.error('latentd: SQLite, 1 of 2 (compiled where no prebuilt one can be fetched)');
  buildSqlite();
}
console.error('latentd: the addon, 2 of 2 (about a minute on one core)');
run(process.execPath, [require.resolve('cmake-js/bin/cmake-js'), 'compile', '--log-level', 'error']);
console.error(`latentd: built in ${((performance.now() - began) / 1000).toFixed(0)} s`);
