// Runs when latentd is installed: nothing to do where a package of this platform came along; a build from source elsewhere.
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';

const root = import.meta.dirname ?? new URL('.', import.meta.url).pathname;
const platform = `${process.platform}-${process.arch}`;
const { toolchain } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

/** Why the package of this platform can't be used; undefined where it can. */
function whyNotPrebuilt() {
  try {
    createRequire(join(root, 'package.json'))(`@latentd/${platform}/latentd.node`);
    return undefined;
  } catch (error) {
    return error.code === 'MODULE_NOT_FOUND' ? 'there is none' : error.message.split('\n')[0];
  }
}

function run(program, args, options) {
  const { status, error } = spawnSync(program, args, { stdio: 'inherit', ...options });
  if (status === 0) return;
  console.error(`latentd: ${program} ${args.join(' ')} failed${error ? `: ${error.message}` : ''}`);
  console.error('latentd: a build needs cmake, g++ and make: apt-get install cmake g++ make');
  process.exit(1);
}

const reason = whyNotPrebuilt();
if (reason !== undefined) {
  const minutes = Math.max(1, Math.round(4 / availableParallelism()));
  console.error(
    `latentd: no prebuilt addon for ${platform} (${reason}); it is built from source, about ${minutes} to ${3 * minutes} minutes`,
  );
  const folder = join(root, 'build/toolchain');
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ private: true, dependencies: toolchain }));
  // ONNX Runtime's own script fetches what only CUDA would need.
  const env = { ...process.env, ONNXRUNTIME_NODE_INSTALL: 'skip' };
  run('npm', ['install', '--omit=dev', '--no-audit', '--no-fund', '--no-package-lock'], { cwd: folder, env });
  const modules = join(folder, 'node_modules');
  run(process.execPath, [join(modules, 'cmake-js/bin/cmake-js'), 'compile', '-d', root], {
    cwd: root,
    env: { ...env, NODE_PATH: modules },
  });
}
