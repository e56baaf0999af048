// Formats or checks the C++ sources: `node tools/clang-format.mjs --check | --write`.
// The npm package's binary is for linux-x64; elsewhere the system's clang-format is used.
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

const sources = readdirSync('native', { recursive: true })
  .map(String)
  .filter((name) => /\.(cc|h|cu|cuh)$/.test(name))
  .map((name) => join('native', name));
const bundled = createRequire(import.meta.url).resolve('clang-format/bin/linux_x64/clang-format');
const program = process.platform === 'linux' && process.arch === 'x64' ? bundled : 'clang-format';
const mode = process.argv.includes('--write') ? ['-i'] : ['--dry-run', '--Werror'];
const result = spawnSync(program, [...mode, ...sources], { stdio: 'inherit' });
if (result.error) {
  console.error(
    `clang-format could not be run (${result.error.message}); on this machine install it with: apt-get install clang-format`,
  );
}
process.exitCode = result.status ?? 1;
