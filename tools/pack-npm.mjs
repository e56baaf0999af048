// Makes of the built tree the packages that are published: `npm run pack:npm [-- FOLDER]`.
//
// latentd-VERSION.tgz        compiled code with its JavaScript dependencies, and the sources of the addon for other platforms
// latentd-linux-x64-….tgz    @latentd/linux-x64: the addon, and the dependencies that have native code, for this platform alone
//
// No package of them has a script that needs the network, and none but latentd's own has a script: onnxruntime-node's fetches from
// another registry, better-sqlite3's from GitHub. Nothing is fetched here; what is packed is what is installed and built.
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { basename, join, relative, resolve } from 'node:path';
import {
  copyPackage,
  dependenciesInUse,
  folderOf,
  manifest,
  modules,
  packagesOf,
  readJson,
  root,
} from './packing/packages.mjs';

const platform = `${process.platform}-${process.arch}`;
/** Their code is for one platform each; latentd has stand-ins that lead to it. */
const native = ['better-sqlite3', 'onnxruntime-node', 'sharp', 'zeromq'];
/** What a build from source installs beside latentd. */
const toolchain = ['cmake-js', 'node-addon-api', 'node-api-headers', ...native];

const { name, version, description, license, type, engines, os, bin, exports, keywords } = manifest;
const about = { version, license, engines };

function packMain(folder) {
  const own = [
    'dist',
    'data',
    'graphs',
    'native',
    'docs',
    'examples',
    'clients',
    'packaging/systemd',
    'packaging/completions',
    'CMakeLists.txt',
    'LICENSE',
    'README.md',
    'CHANGELOG.md',
  ];
  const models = manifest.files.filter((file) => file.startsWith('models/'));
  for (const part of [...own, ...models].filter((path) => existsSync(join(root, path)))) {
    cpSync(join(root, part), join(folder, part), {
      recursive: true,
      filter: (path) => !/\.map$|docs\/api$|\/node_modules$/.test(path),
    });
  }
  chmodSync(join(folder, bin.latentd), 0o755);
  cpSync(join(root, 'packaging/npm/install.mjs'), join(folder, 'install.mjs'));
  const used = dependenciesInUse().filter((dependency) => !native.includes(dependency));
  for (const path of packagesOf(used))
    copyPackage(path, join(folder, 'node_modules', relative(modules, path)));
  for (const dependency of native) writeStandIn(folder, dependency);
  const bundled = [...used, ...native].sort();
  writeManifest(folder, {
    name,
    description,
    ...about,
    type,
    os,
    bin,
    exports,
    keywords,
    scripts: { install: 'node install.mjs' },
    dependencies: Object.fromEntries(bundled.map((dependency) => [dependency, versionOf(dependency)])),
    bundleDependencies: bundled,
    optionalDependencies: Object.fromEntries(
      ['linux-x64', 'linux-arm64'].map((one) => [`@latentd/${one}`, version]),
    ),
    toolchain: Object.fromEntries(toolchain.map((dependency) => [dependency, versionOf(dependency)])),
  });
}

function packPlatform(folder) {
  for (const addon of ['latentd.node', 'latentd-cuda.node']) {
    const built = join(root, 'build/Release', addon);
    if (!existsSync(built)) continue;
    cpSync(built, join(folder, addon));
    spawnSync('strip', ['--strip-unneeded', join(folder, addon)]);
  }
  for (const path of packagesOf(native))
    copyPackage(path, join(folder, 'node_modules', relative(modules, path)));
  spreadSqlite(join(folder, 'node_modules/better-sqlite3'));
  const bundled = [...packagesOf(native)]
    .map((path) => relative(modules, path))
    .filter((path) => !path.includes('node_modules'));
  for (const path of bundled) withoutScripts(join(folder, 'node_modules', path));
  cpSync(join(root, 'LICENSE'), join(folder, 'LICENSE'));
  writeManifest(folder, {
    name: `@latentd/${platform}`,
    description: `latentd's native code for ${platform}`,
    ...about,
    os: [process.platform],
    cpu: [process.arch],
    libc: ['glibc'],
    dependencies: Object.fromEntries(bundled.map((dependency) => [dependency, versionOf(dependency)])),
    bundleDependencies: bundled,
  });
}

/** better-sqlite3 is built for one version of Node's own interface: of each that there is one for, where `bindings` looks for it. */
function spreadSqlite(folder) {
  const built = join(folder, 'build');
  const place = (abi, file) => {
    const to = join(folder, 'lib/binding', `node-v${abi}-${platform}`);
    mkdirSync(to, { recursive: true });
    cpSync(file, join(to, 'better_sqlite3.node'));
    spawnSync('strip', ['--strip-unneeded', join(to, 'better_sqlite3.node')]);
  };
  place(process.versions.modules, join(built, 'Release/better_sqlite3.node'));
  rmSync(built, { recursive: true });
  const others = join(root, 'build/sqlite');
  for (const abi of existsSync(others) ? readdirSync(others) : [])
    place(abi, join(others, abi, 'better_sqlite3.node'));
}

/** A package of the same name that is the platform's one, and what of it ES modules may name. */
function writeStandIn(folder, dependency) {
  const real = createRequire(join(root, 'package.json'))(dependency);
  const names = Object.keys(real).filter((key) => /^[A-Za-z_]\w*$/.test(key) && key !== 'default');
  const to = join(folder, 'node_modules', dependency);
  mkdirSync(to, { recursive: true });
  const code = [
    "'use strict';",
    `// ${dependency} has native code: it comes with the package for this platform, or with a build from source.`,
    "const { createRequire } = require('node:module');",
    "const { join } = require('node:path');",
    'const platform = `@latentd/${process.platform}-${process.arch}/package.json`;',
    "let home = join(__dirname, '../../build/toolchain/package.json');",
    'try {',
    '  home = require.resolve(platform);',
    '} catch {',
    '  // Built from source.',
    '}',
    `module.exports = createRequire(home)(${JSON.stringify(dependency)});`,
    `0 && (module.exports = { ${names.join(', ')} });`,
    '',
  ];
  writeFileSync(join(to, 'index.js'), code.join('\n'));
  writeManifest(to, { name: dependency, version: versionOf(dependency), main: 'index.js' });
}

/** What a bundled package would do or fetch on its own is left out of its manifest. */
function withoutScripts(folder) {
  const left = ['scripts', 'devDependencies', 'optionalDependencies'];
  const entries = Object.entries(readJson(join(folder, 'package.json')));
  const own = Object.fromEntries(entries.filter(([key]) => !left.includes(key)));
  const isHere = (dependency) => ['..', '../..'].some((place) => existsSync(join(folder, place, dependency)));
  own.dependencies = Object.fromEntries(
    Object.entries(own.dependencies ?? {}).filter(([name]) => isHere(name)),
  );
  writeManifest(folder, { ...own, gypfile: false });
}

function versionOf(dependency) {
  return readJson(join(folderOf(dependency, root), 'package.json')).version;
}

function writeManifest(folder, content) {
  writeFileSync(join(folder, 'package.json'), `${JSON.stringify(content, null, 2)}\n`);
}

/** A tarball as npm makes them, the same for the same files. */
function pack(folder, file) {
  const made = spawnSync(
    'tar',
    [
      '--sort=name',
      '--mtime=1985-10-26',
      '--owner=0',
      '--group=0',
      '--numeric-owner',
      '-C',
      join(folder, '..'),
      '-czf',
      file,
      basename(folder),
    ],
    { stdio: ['ignore', 'inherit', 'inherit'] },
  );
  if (made.status !== 0) throw new Error(`tar failed for ${file}`);
  console.log(`${file}: ${(statSync(file).size / 2 ** 20).toFixed(1)} MiB`);
}

for (const needed of ['dist/cli/main.js', 'build/Release/latentd.node']) {
  if (!existsSync(join(root, needed)))
    throw new Error(`${needed} is missing; run: npm run build:native && npm run build`);
}
const target = resolve(process.argv[2] ?? join(root, 'build'));
mkdirSync(target, { recursive: true });
const work = mkdtempSync(join(tmpdir(), 'latentd-pack-'));
try {
  for (const [file, fill] of [
    [`latentd-${version}.tgz`, packMain],
    [`latentd-${platform}-${version}.tgz`, packPlatform],
  ]) {
    const folder = join(work, file, 'package');
    mkdirSync(folder, { recursive: true });
    fill(folder);
    pack(folder, join(target, file));
  }
} finally {
  rmSync(work, { recursive: true, force: true });
}
