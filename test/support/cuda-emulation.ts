/** The CUDA engine with the processor for a card (native/cuda/emulation): its own kernels and host code, slowly. */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { loadCudaAddon, type CudaAddon } from '../../src/native/cuda-addon.js';

const root = fileURLToPath(new URL('../../', import.meta.url));
const native = join(root, 'native');

/** What tests may have happen to the emulated card. */
export interface EmulatedCudaAddon extends CudaAddon {
  readonly emulate: (settings: {
    readonly memoryBytes?: number;
    /** As after an illegal access: every call fails. */
    readonly lost?: boolean;
  }) => void;
}

/** Built with the compiler that built the other addon, whose samplers it takes, once for each state of its sources. */
export function emulatedCudaAddon(): EmulatedCudaAddon {
  const cuda = filesBelow(join(native, 'cuda'));
  const sources = cuda.filter((file) => /\.(cc|cu)$/.test(file));
  const headers = filesBelow(native).filter((file) => file.endsWith('.h'));
  const samplers = samplerObjects();
  const digest = createHash('sha256');
  for (const file of [...sources, ...headers, ...samplers]) digest.update(readFileSync(file));
  const folder = join(root, 'node_modules/.cache/latentd');
  const path = join(folder, `cuda-emulation-${digest.digest('hex').slice(0, 16)}.node`);
  if (!existsSync(path)) {
    mkdirSync(folder, { recursive: true });
    build(sources, samplers, path);
  }
  return loadCudaAddon(path) as EmulatedCudaAddon;
}

/** What the last build made of the samplers, as CMake lists it: older builds leave other objects beside them. */
function samplerObjects(): string[] {
  const list = join(root, 'build/latentd-sampling.objects');
  if (!existsSync(list)) throw new Error('the addon is not built: npm run build:native');
  return readFileSync(list, 'utf8').trim().split('\n');
}

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .sort()
    .map((name) => join(folder, name));
}

function build(sources: readonly string[], objects: readonly string[], path: string): void {
  const packageFolder = (name: string): string =>
    dirname(createRequire(import.meta.url).resolve(`${name}/package.json`));
  const unfinished = `${path}.${process.pid}`;
  const result = spawnSync(
    process.env['CXX'] ?? 'c++',
    [
      ...['-std=c++20', '-O2', '-fPIC', '-shared', '-pthread', '-Wno-unknown-pragmas', '-fvisibility=hidden'],
      '-ffp-contract=off',
      ...['-DLATENTD_CUDA_EMULATION', '-DNAPI_VERSION=8', '-DNODE_ADDON_API_CPP_EXCEPTIONS_ALL'],
      ...[
        native,
        packageFolder('node-addon-api'),
        join(packageFolder('node-api-headers'), 'include'),
      ].flatMap((include) => ['-I', include]),
      ...['-x', 'c++', ...sources, '-x', 'none', ...objects, '-o', unfinished],
    ],
    { encoding: 'utf8' },
  );
  if (result.status !== 0) throw new Error(`the emulation could not be built: ${result.stderr}`);
  renameSync(unfinished, path);
}
