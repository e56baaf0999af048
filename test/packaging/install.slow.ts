/** The packed packages as somebody gets them: an empty folder, no compiler, no network, nothing in a cache. */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { buildCli, ROOT } from '../cli/latentd.js';

/** All that is on the PATH. A compiler is not among them. */
const PROGRAMS = ['node', 'npm', 'sh', 'env'];
const MEGABYTE = 2 ** 20;

let work: string;
let app: string;

beforeAll(() => {
  work = mkdtempSync(join(tmpdir(), 'latentd-install-'));
  app = join(work, 'app');
  for (const folder of ['app', 'bin', 'home', 'packed']) mkdirSync(join(work, folder));
  for (const program of PROGRAMS) {
    symlinkSync(execFileSync('which', [program], { encoding: 'utf8' }).trim(), join(work, 'bin', program));
  }
  buildCli();
  for (const script of ['distil-vocabularies.mjs', 'pack-npm.mjs']) {
    execFileSync(process.execPath, [join(ROOT, 'tools', script), join(work, 'packed')], { stdio: 'ignore' });
  }
});
afterAll(() => {
  rmSync(work, { recursive: true });
});

const run = (program: string, ...args: string[]) => {
  const { status, stdout, stderr } = spawnSync(join(work, 'bin', program), args, {
    cwd: app,
    encoding: 'utf8',
    env: { PATH: join(work, 'bin'), HOME: join(work, 'home') },
  });
  return { status, stdout, stderr };
};

const sizeOf = (folder: string) =>
  Number(execFileSync('du', ['-sk', folder], { encoding: 'utf8' }).split('\t')[0]) * 1024;

test('installs from the files alone, and draws a picture', () => {
  const files = readdirSync(join(work, 'packed')).map((name) => join(work, 'packed', name));
  const nowhere = [
    '--registry',
    'http://127.0.0.1:9',
    '--fetch-retries',
    '0',
    '--cache',
    join(work, 'cache'),
  ];
  const installed = run(
    'npm',
    'install',
    '--ignore-scripts',
    '--no-audit',
    '--no-fund',
    ...nowhere,
    ...files,
  );
  expect(installed.stderr).toBe('');
  expect(installed.status).toBe(0);

  const { status, stdout, stderr } = run('node', 'node_modules/.bin/latentd', 'run', 'sprite_optimized');
  expect(stderr).toContain('done in');
  expect(status).toBe(0);
  expect(existsSync(stdout.trim())).toBe(true);
  expect(sizeOf(app)).toBeLessThan(150 * MEGABYTE);
});

test('all of it is there: doctor, the queue, the clients', () => {
  const doctor = run('node', 'node_modules/.bin/latentd', 'doctor', '--json');
  const { status, checks } = JSON.parse(doctor.stdout) as {
    status: string;
    checks: { status: string; name: string }[];
  };
  expect(checks.filter((check) => check.status === 'fault')).toEqual([]);
  expect(status).toBe('ok');
  writeFileSync(
    join(app, 'all.mjs'),
    `await import('latentd'); await import('latentd/nodes'); await import('latentd/client');
     const base = '${app}/node_modules/latentd/dist';
     await import(base + '/jobs/journal-database.js'); await import(base + '/fronts/dgx-pixels/wire/client.js');`,
  );
  expect(run('node', 'all.mjs')).toEqual({ status: 0, stdout: '', stderr: '' });
});

test('its types compile under strict, with nothing else installed', () => {
  writeFileSync(
    join(app, 'app.ts'),
    `import { createEngine } from 'latentd';
     import * as nodes from 'latentd/nodes';
     import * as client from 'latentd/client';
     export const all = [createEngine, nodes, client];`,
  );
  writeFileSync(
    join(app, 'tsconfig.json'),
    JSON.stringify({
      compilerOptions: { strict: true, module: 'nodenext', target: 'es2023', noEmit: true, types: [] },
      files: ['app.ts'],
    }),
  );
  const tsc = spawnSync(process.execPath, [join(ROOT, 'node_modules/typescript/bin/tsc'), '-p', app], {
    encoding: 'utf8',
  });
  expect(tsc.stdout).toBe('');
});

test('without the package for this platform it says what to do, in one line', () => {
  rmSync(join(app, 'node_modules/@latentd'), { recursive: true });
  const { status, stderr } = run('node', 'node_modules/.bin/latentd', 'run', 'sprite_optimized');
  expect(stderr).toMatch(
    /^latentd: latentd's native addon \S+ is missing; install @latentd\/\S+, or reinstall .*\n$/,
  );
  expect(status).toBe(1);
});
