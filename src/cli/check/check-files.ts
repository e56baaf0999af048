import { settingValues, type ResolvedSettings } from '../../config/resolve-settings.js';
import { nodeClasses } from '../../nodes/index.js';
import { openFolders } from '../open-folders.js';
import { openNodePacks } from '../open-node-packs.js';
import { checkFile } from './check-file.js';
import type { FileReport } from './report.js';

/** Throws `UsageError` and `ConfigError`. */
export async function checkFiles(
  files: readonly string[],
  settings: ResolvedSettings,
): Promise<FileReport[]> {
  const values = settingValues(settings);
  const folders = await openFolders(values);
  const packed = await openNodePacks(values.nodePack);
  const registry = new Map([...nodeClasses, ...packed.map((node) => [node.name, node] as const)]);
  const reports: FileReport[] = [];
  for (const file of files) reports.push(await checkFile(file, { registry, folders, graphs: values.graphs }));
  return reports;
}
