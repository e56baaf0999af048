/** The native addon, ONNX Runtime, and the devices it can run on. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { HOW_TO_GET_ADDON, nativePackage } from '../../native/native-files.js';
import { fault, ok, warning, type Check } from './check.js';
import { packageVersion } from './machine.js';

const run = promisify(execFile);
const PROBE = fileURLToPath(new URL('./probe-device.js', import.meta.url));
const PROBE_TIMEOUT_MS = 30_000;

export async function checkAddon(): Promise<Check> {
  try {
    await import('../../native/addon.js');
    return ok('addon', 'built and loaded');
  } catch (error) {
    return fault(
      'addon',
      firstLine(error),
      `${HOW_TO_GET_ADDON} (a build needs cmake, g++ and make: apt-get install cmake g++ make)`,
    );
  }
}

export async function checkOnnxRuntime(): Promise<Check> {
  try {
    await import('../../native/onnxruntime-node.js');
    return ok('onnxruntime', packageVersion(join(nativePackage('onnxruntime-node'), 'package.json')));
  } catch (error) {
    return fault('onnxruntime', firstLine(error), 'install it again: npm ci');
  }
}

const REMEDIES = {
  cpu: 'install ONNX Runtime again: npm ci',
  webgpu:
    'nothing to do unless you want it: it needs a GPU with a Vulkan driver (apt-get install libvulkan1)',
  cuda: 'nothing to do unless you want it: it needs an NVIDIA card with a driver for CUDA 12 or later, and npm run build:cuda',
} as const;

/**
 * Whether a model can be run on a device. It is tried in a process of its own: a provider writes to standard error
 * as it likes, and a broken driver may take its process down.
 */
export async function checkDevice(device: keyof typeof REMEDIES): Promise<Check> {
  const name = `device ${device}`;
  try {
    const { stdout } = await run(process.execPath, [PROBE, device], { timeout: PROBE_TIMEOUT_MS });
    if (device === 'cpu') return ok(name, 'works');
    if (device === 'cuda') return ok(name, stdout.trim());
    return ok(name, 'ONNX Runtime runs on it; latentd itself does not so far');
  } catch (error) {
    const detail = `not usable: ${probeReason(error)}`;
    return device === 'cpu' ? fault(name, detail, REMEDIES[device]) : warning(name, detail, REMEDIES[device]);
  }
}

/** The probe's last word, which is ONNX Runtime's message, without the source positions it begins with. */
function probeReason(error: unknown): string {
  const { stdout = '', signal } = error as { stdout?: string; signal?: string | null };
  if (signal != null) return `the process that tried it ended by ${signal}`;
  const line = stdout.trim().split('\n').at(-1) ?? '';
  return line === '' ? firstLine(error) : line.replace(/^\/.*\bwas false\. /, '');
}

function firstLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split('\n')[0]!;
}
