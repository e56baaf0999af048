/** `latentd doctor`: looks whether everything is there, and says what to do where it isn't. */
import { Command } from 'commander';
import { settingValues, type SettingsReport } from '../config/resolve-settings.js';
import { bytes } from '../config/kinds.js';
import { SETTING_NAMES, SETTINGS, type SettingName, type Settings } from '../config/settings.js';
import type { Check } from './doctor/check.js';
import { EXIT } from './exit-codes.js';
import { addSettingOptions, settingsFrom, type SettingOptions } from './setting-options.js';
import { printTable, type Cell } from './table.js';
import { formatBytes, print, printJson, printLines } from './terminal.js';

export function doctorCommand(exit: (status: number) => void): Command {
  const command = new Command('doctor')
    .description('check the addon, devices, ffmpeg, folders, disk and memory, and say what to do')
    .option('--json', 'print one JSON object');
  return addSettingOptions(command).action(async (options: SettingOptions & { readonly json?: boolean }) => {
    const settings = await settingsFrom(options);
    const checks = await examine(settingValues(settings.settings));
    const healthy = checks.every((check) => check.status !== 'fault');
    if (options.json === true)
      printJson({ status: healthy ? 'ok' : 'fault', checks, ...describeSettings(settings) });
    else printReport(checks, settings, healthy);
    exit(healthy ? EXIT.done : EXIT.failed);
  });
}

async function examine(settings: Settings): Promise<Check[]> {
  // Loaded here, so that the help of other commands doesn't wait for it.
  const [{ checkNode, checkProcessor, checkMemory, checkDisk }, runtime, { checkFfmpeg }, { checkFolders }] =
    await Promise.all([
      import('./doctor/machine.js'),
      import('./doctor/runtime.js'),
      import('./doctor/video.js'),
      import('./doctor/folders.js'),
    ]);
  return [
    checkNode(),
    await runtime.checkAddon(),
    await runtime.checkOnnxRuntime(),
    ...(await Promise.all((['cpu', 'webgpu', 'cuda'] as const).map(runtime.checkDevice))),
    await checkFfmpeg(),
    checkProcessor(),
    checkMemory(),
    checkDisk(settings.output),
    ...(await checkFolders(settings)),
  ];
}

function describeSettings({ settings, file, warnings }: SettingsReport): object {
  return { settings, config: file ?? null, warnings };
}

const MARKS = {
  ok: { text: '✓', style: 'green' },
  warning: { text: '!', style: 'yellow' },
  fault: { text: '✗', style: 'red' },
} as const;

function printReport(checks: readonly Check[], settings: SettingsReport, healthy: boolean): void {
  printTable(
    checks.flatMap(({ name, status, detail, remedy }): readonly (readonly Cell[])[] => [
      [MARKS[status], name, detail],
      ...(remedy === undefined ? [] : [['', '', `→ ${remedy}`]]),
    ]),
  );
  printLines('\nSettings');
  printTable(
    SETTING_NAMES.map((name) => [`  ${name}`, settings.settings[name].from, showValue(name, settings)]),
  );
  for (const text of settings.warnings) print(`! ${text}`);
  printLines(healthy ? '\nReady.' : '\nNot ready: see the lines marked ✗.');
}

function showValue(name: SettingName, { settings }: SettingsReport): string {
  const { value } = settings[name];
  if (value === undefined) return SETTINGS[name].unset;
  if (SETTINGS[name].kind === bytes) return formatBytes(Number(value));
  return [value].flat().join(', ') || 'none';
}
