import { copyFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { makeFolder } from '../../make-folder.js';
import { UsageError } from '../exit-codes.js';

// Three folders below the package's root from both src/cli/service and dist/cli/service.
const SHIPPED = fileURLToPath(new URL('../../../packaging/systemd', import.meta.url));
const MAIN = fileURLToPath(new URL('../main.js', import.meta.url));

/**
 * Writes the unit below `root`, made for this Node and this latentd, and the config file where there is none. Returns what was
 * written. Throws `UsageError` for what can't be written.
 */
export function installService(root: string): readonly string[] {
  const unit = resolve(root, 'etc/systemd/system/latentd.service');
  const config = resolve(root, 'etc/latentd/latentd.config.json');
  const start = `ExecStart=${quoted(process.execPath)} ${quoted(MAIN)} serve `;
  const text = readFileSync(join(SHIPPED, 'latentd.service'), 'utf8')
    // How to install it by hand.
    .replace(/^(#.*\n)+\n*/, '# Written by latentd service install.\n\n')
    .replace('ExecStart=/usr/bin/env latentd serve ', () => start);
  try {
    makeFolder(dirname(unit));
    writeFileSync(unit, text);
    if (existsSync(config)) return [unit];
    makeFolder(dirname(config));
    copyFileSync(join(SHIPPED, 'latentd.config.json'), config);
    return [unit, config];
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new UsageError(`the service can't be installed: ${reason}; run it as root, or name another --root`);
  }
}

/** A path as systemd reads it: `%` begins a specifier, spaces end words (systemd.service(5), systemd.unit(5)). */
function quoted(path: string): string {
  const escaped = path
    .replaceAll('\\', '\\\\')
    .replaceAll('"', '\\"')
    .replaceAll('%', '%%')
    .replaceAll('$', '$$$$');
  return /[\s"'\\;]/.test(path) ? `"${escaped}"` : escaped;
}
