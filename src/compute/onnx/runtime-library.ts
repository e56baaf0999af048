import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { nativePackage } from '../../native/native-files.js';

/** The library that onnxruntime-node brings along; the package itself is never loaded here. */
export function runtimeLibrary(): string {
  // In bin/napi-v6/linux/x64.
  const root = nativePackage('onnxruntime-node');
  const platform = join(process.platform, process.arch);
  const binaries = join(root, 'bin');
  for (const version of existsSync(binaries) ? readdirSync(binaries) : []) {
    const folder = join(binaries, version, platform);
    const name =
      existsSync(folder) && readdirSync(folder).find((file) => file.startsWith('libonnxruntime.so'));
    if (name) return join(folder, name);
  }
  throw new Error(
    `onnxruntime-node has no library for ${platform} in ${binaries}; reinstall it with: npm ci`,
  );
}
