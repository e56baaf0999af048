// Packs latentd with Node itself into one tarball that runs on any Linux machine of this processor's kind with a C library no
// older than this one's: `npm run pack:portable [-- FOLDER]`. Nothing is fetched; what is packed is what is installed and built here.
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
} from 'node:fs';
import { writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { basename, dirname, join, relative, resolve } from 'node:path';

/** They build the addon, and are of no use where it is built. */
const buildOnly = new Set(['cmake-js', 'node-addon-api', 'node-api-headers']);

/** Sources, types, maps and documentation: nothing of it is read at run time. */
const unread = /\.(map|md|markdown|ts|mts|cts|c|cc|cpp|h|hpp|gyp|gypi|a|o|obj|tsbuildinfo)$|\.d\.ts$/;
const licence = /licen[cs]e|notice|copying/i;

const root = resolve(import.meta.dirname, '..');
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const platform = `${process.platform}-${process.arch}`;
const name = `latentd-${manifest.version}-${platform}`;

/** Folders of a package that are for other machines, or for building it. */
const foreign = {
  'onnxruntime-node': (path) =>
    /^(script|bin\/.*)$/.test(path) && path.startsWith('bin/')
      ? !onTheWay(path, `bin/napi-v6/linux/${process.arch}`)
      : path === 'script',
  zeromq: (path) =>
    /^(src|script|vcpkg|build\/.+)/.test(path) &&
    path !== 'build/manifest.json' &&
    !(onTheWay(path, `build/linux/${process.arch}/node`) && !/\/(musl|\d+)\b/.test(path)),
  'better-sqlite3': (path) =>
    /^(deps|src)$/.test(path) ||
    (path.startsWith('build/') && !onTheWay(path, 'build/Release/better_sqlite3.node')),
  sharp: (path) => /^(src|install)$/.test(path),
};

/** Whether one of the two paths leads to the other. */
function onTheWay(path, wanted) {
  return `${wanted}/`.startsWith(`${path}/`) || `${path}/`.startsWith(`${wanted}/`);
}

/** The folder of `dependency` as `from` would find it; undefined for an optional one that isn't installed. */
function folderOf(dependency, from) {
  const places = createRequire(join(from, 'package.json')).resolve.paths(`${dependency}/package.json`) ?? [];
  return places
    .map((place) => join(place, dependency))
    .find((path) => existsSync(join(path, 'package.json')));
}

/** Every package that is needed at run time, by its folder. */
function runtimePackages() {
  const found = new Set();
  const visit = (folder, { dependencies = {}, optionalDependencies = {} }, skip = new Set()) => {
    const names = new Set([...Object.keys(dependencies), ...Object.keys(optionalDependencies)]);
    for (const dependency of names) {
      if (skip.has(dependency)) continue;
      const path = folderOf(dependency, folder);
      if (path === undefined) {
        if (dependency in optionalDependencies) continue;
        throw new Error(`${dependency} is not installed; run: npm ci`);
      }
      const own = JSON.parse(readFileSync(join(path, 'package.json'), 'utf8'));
      const musl = own.libc?.includes('musl') === true;
      if (found.has(path) || musl || own.os?.includes(process.platform) === false) continue;
      found.add(path);
      visit(path, own);
    }
  };
  visit(root, manifest, buildOnly);
  return found;
}

function copyPackage(from, to) {
  const skip = foreign[basename(from)] ?? (() => false);
  const nested = join(from, 'node_modules');
  cpSync(from, to, {
    recursive: true,
    dereference: true,
    filter(path) {
      const inside = relative(from, path);
      if (inside === '') return true;
      if (path === nested || skip(inside) || basename(path) === '.bin') return false;
      return !unread.test(path) || licence.test(basename(path));
    },
  });
}

function copyOwn(folder) {
  for (const part of ['dist', 'data', 'graphs', 'LICENSE', 'package.json']) {
    cpSync(join(root, part), join(folder, part), {
      recursive: true,
      filter: (path) => !/\.(map|d\.ts)$/.test(path),
    });
  }
  for (const model of manifest.files.filter((file) => file.startsWith('models/')))
    cpSync(join(root, model), join(folder, model));
  for (const addon of ['latentd.node', 'latentd-cuda.node']) {
    const built = join(root, 'build/Release', addon);
    if (!existsSync(built)) continue;
    mkdirSync(join(folder, 'build/Release'), { recursive: true });
    cpSync(built, join(folder, 'build/Release', addon));
  }
  cpSync(join(root, 'packaging/portable'), folder, { recursive: true });
  chmodSync(join(folder, 'latentd'), 0o755);
}

function run(program, ...parts) {
  const { status, error } = spawnSync(program, parts, { stdio: ['ignore', 'inherit', 'inherit'] });
  if (status !== 0)
    throw new Error(`${program} ${parts.join(' ')} failed${error ? `: ${error.message}` : ''}`);
}

for (const needed of ['dist/cli/main.js', 'build/Release/latentd.node']) {
  if (!existsSync(join(root, needed))) {
    throw new Error(`${needed} is missing; run: npm run build:native && npm run build`);
  }
}
const target = resolve(process.argv[2] ?? join(root, 'build'));
mkdirSync(target, { recursive: true });
const work = mkdtempSync(join(tmpdir(), 'latentd-pack-'));
try {
  const folder = join(work, name);
  mkdirSync(join(folder, 'bin'), { recursive: true });
  copyOwn(folder);
  const modules = dirname(folderOf('zod', root));
  for (const path of runtimePackages())
    copyPackage(path, join(folder, 'node_modules', relative(modules, path)));
  const node = join(folder, 'bin/node');
  cpSync(process.execPath, node);
  spawnSync('strip', [node]);
  writeFileSync(join(folder, 'VERSION'), `${manifest.version} ${platform} node ${process.version}\n`);

  const archive = join(target, `${name}.tar`);
  run('tar', '-C', work, '--owner=0', '--group=0', '-cf', archive, name);
  run('xz', '--force', '-T1', '-6', archive);
  console.log(`${archive}.xz: ${(statSync(`${archive}.xz`).size / 2 ** 20).toFixed(1)} MiB`);
} finally {
  rmSync(work, { recursive: true, force: true });
}
