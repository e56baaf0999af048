// Packs latentd with Node itself into one tarball that runs on any Linux machine of this processor's kind with a C library no
// older than this one's: `npm run pack:portable [-- FOLDER]`. Nothing is fetched; what is packed is what is installed and built here.
import { spawnSync } from 'node:child_process';
import { chmodSync, cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative, resolve } from 'node:path';
import { copyPackage, dependenciesInUse, manifest, modules, packagesOf, root } from './packing/packages.mjs';

const platform = `${process.platform}-${process.arch}`;
const name = `latentd-${manifest.version}-${platform}`;

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
  for (const path of packagesOf(dependenciesInUse()))
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
