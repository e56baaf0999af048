// What both packers know of node_modules: which packages run latentd, and what of their files is read where it runs.
import { cpSync, existsSync, readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join, relative, resolve } from 'node:path';

export const root = resolve(import.meta.dirname, '../..');
export const manifest = readJson(join(root, 'package.json'));

/** They build the addon, and are of no use where it is built. */
export const buildOnly = new Set([
  ...['cmake-js', 'node-addon-api', 'node-api-headers', 'prebuild-install'],
  // Of onnxruntime-node's install script alone.
  ...['adm-zip', 'global-agent'],
]);

/** Sources, types, maps and documentation: nothing of it is read at run time. */
const unread = /\.(map|md|markdown|ts|mts|cts|c|cc|cpp|h|hpp|gyp|gypi|a|o|obj|tsbuildinfo)$|\.d\.ts$/;
const licence = /licen[cs]e|notice|copying/i;
/** Folders at the top of a package that its own tests and pages are in. */
const ownAffairs =
  /^(test|tests|__tests__|doc|docs|example|examples|benchmark|benchmarks|bench|coverage|\.github|\.vscode)$/;

/** Files of a package that are for other machines, or for building it. */
const foreign = {
  'onnxruntime-node': (path) =>
    path.startsWith('bin/') ? !onTheWay(path, `bin/napi-v6/linux/${process.arch}`) : path === 'script',
  zeromq: (path) =>
    /^(src|script|vcpkg|build\/.+)/.test(path) &&
    path !== 'build/manifest.json' &&
    !(onTheWay(path, `build/linux/${process.arch}/node`) && !/\/(musl|\d+|glibc-(\d\d|10\d))\b/.test(path)),
  // zeromq takes the loader of it, which needs nothing else.
  'cmake-ts': (path) => !/^(package\.json|LICENSE.*|build(\/loader\.js)?)$/.test(path),
  'better-sqlite3': (path) =>
    /^(deps|src)$/.test(path) ||
    (path.startsWith('build/') && !onTheWay(path, 'build/Release/better_sqlite3.node')),
  sharp: (path) => /^(src|install)$/.test(path),
  zod: (path) => path === 'src',
};

/** Whether one of the two paths leads to the other. */
function onTheWay(path, wanted) {
  return `${wanted}/`.startsWith(`${path}/`) || `${path}/`.startsWith(`${wanted}/`);
}

export function readJson(file) {
  return JSON.parse(readFileSync(file, 'utf8'));
}

/** The folder of `dependency` as `from` would find it; undefined for an optional one that isn't installed. */
export function folderOf(dependency, from) {
  const places = createRequire(join(from, 'package.json')).resolve.paths(`${dependency}/package.json`) ?? [];
  return places
    .map((place) => join(place, dependency))
    .find((path) => existsSync(join(path, 'package.json')));
}

/** The dependencies that the built code names: what is declared for later is not packed. */
export function dependenciesInUse() {
  const dist = join(root, 'dist');
  const code = readdirSync(dist, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.js'))
    .map((name) => readFileSync(join(dist, name), 'utf8'))
    .join('\n');
  return Object.keys(manifest.dependencies).filter(
    (name) => code.includes(`'${name}'`) || code.includes(`'${name}/`),
  );
}

/** Every package that these need at run time, themselves included, by its folder. */
export function packagesOf(names) {
  const found = new Set();
  const visit = (dependency, from, optional) => {
    if (buildOnly.has(dependency)) return;
    const path = folderOf(dependency, from);
    if (path === undefined) {
      if (optional) return;
      throw new Error(`${dependency} is not installed; run: npm ci`);
    }
    const own = readJson(join(path, 'package.json'));
    const musl = own.libc?.includes('musl') === true;
    if (found.has(path) || musl || own.os?.includes(process.platform) === false) return;
    found.add(path);
    if (own.name === 'cmake-ts') return;
    const { dependencies = {}, optionalDependencies = {} } = own;
    for (const name of new Set([...Object.keys(dependencies), ...Object.keys(optionalDependencies)]))
      visit(name, path, name in optionalDependencies);
  };
  for (const name of names) visit(name, root, false);
  return found;
}

/** Copies what of a package is read at run time. */
export function copyPackage(from, to) {
  const name = relative(modulesOf(from), from);
  const skip = foreign[name] ?? foreign[basename(from)] ?? (() => false);
  const nested = join(from, 'node_modules');
  cpSync(from, to, {
    recursive: true,
    dereference: true,
    filter(path) {
      const inside = relative(from, path);
      if (inside === '') return true;
      if (path === nested || skip(inside) || ownAffairs.test(inside) || basename(path) === '.bin')
        return false;
      return !unread.test(path) || licence.test(basename(path));
    },
  });
}

/** The `node_modules` that all of ours lie in. */
export const modules = dirname(folderOf('zod', root));

function modulesOf(folder) {
  const parent = dirname(folder);
  return basename(parent).startsWith('@') ? dirname(parent) : parent;
}
