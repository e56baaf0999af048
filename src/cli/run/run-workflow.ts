/** From a command line to a run: settings, workflow, what to change in it, engine. */
import { settingValues } from '../../config/resolve-settings.js';
import { createEngine } from '../../engine/create-engine.js';
import type { EngineResult } from '../../engine/engine.js';
import type { ArtifactStore } from '../../store/artifact.js';
import { openStore } from '../../store/open-store.js';
import { storeOutputs } from '../../store/store-outputs.js';
import { openNodePacks } from '../open-node-packs.js';
import { WorkflowError } from '../../workflow/faults.js';
import { nodeClasses } from '../../nodes/index.js';
import { editorReader } from '../../workflow/editor/from-editor.js';
import { parseWorkflow, type Workflow } from '../../workflow/parse.js';
import type { SignalWatch } from '../cancel-on-signals.js';
import { checkDevice, deviceOf } from '../check-device.js';
import { checkOutput } from '../check-output.js';
import { openFolders } from '../open-folders.js';
import { RunProgress } from '../progress.js';
import type { RunFlags } from './flags.js';
import { settingsFrom } from '../setting-options.js';
import { storeSettings } from '../store-settings.js';
import { notice } from '../terminal.js';
import { applyOptions } from './apply-options.js';
import { outcomeOf, type RunOutcome } from './outcome.js';
import { readWorkflow } from './read-workflow.js';
import { useAvailableCheckpoint } from './template-checkpoint.js';

/** Throws `UsageError`, `ConfigError` or `ModelError` for what the command line or the settings get wrong. */
export async function runWorkflow(named: string, options: RunFlags, watch: SignalWatch): Promise<RunOutcome> {
  const { settings } = await settingsFrom(options);
  checkDevice(settings);
  checkOutput(settings);
  const values = settingValues(settings);
  const folders = await openFolders(values);
  const nodes = await openNodePacks(values.nodePack);

  let workflow: Workflow;
  let isTemplate: boolean;
  try {
    const file = await readWorkflow(named, values.graphs);
    ({ isTemplate } = file);
    const registry = new Map([...nodeClasses, ...nodes.map((node) => [node.name, node] as const)]);
    workflow = parseWorkflow(file.text, { fromEditor: editorReader(registry, folders) });
  } catch (error) {
    if (error instanceof WorkflowError)
      return outcomeOf({ status: 'invalid', report: error.report }, undefined);
    throw error;
  }
  workflow = applyOptions(workflow, options, folders);
  if (isTemplate) workflow = await useAvailableCheckpoint(workflow, folders, settings);

  const { threads, memoryLimit, precision, noise, gpuThreads, allowUrls } = values;
  const device = deviceOf(settings);
  const engine = createEngine({
    folders,
    threads,
    memoryLimit,
    precision,
    noise,
    gpuThreads,
    allowUrls,
    device,
    nodes,
    s3: storeSettings(values).s3,
    notice,
  });
  const progress = await RunProgress.open(process.stderr);
  try {
    const result = await engine.run(workflow, {
      signal: watch.signal,
      onEvent: (event) => {
        progress.onEvent(event);
      },
    });
    return outcomeOf(await stored(result, openStore(storeSettings(values)), watch.signal), watch.exitCode);
  } finally {
    progress.stop();
    await engine.dispose();
  }
}

/** The result with its files stored, where there is a store. */
async function stored(
  result: EngineResult,
  store: ArtifactStore | undefined,
  signal: AbortSignal,
): Promise<EngineResult> {
  if (store === undefined || result.status !== 'success') return result;
  const outputs = await Promise.all(
    Object.entries(result.outputs).map(
      async ([node, ui]) => [node, await storeOutputs(ui, store, signal, notice)] as const,
    ),
  );
  return { ...result, outputs: Object.fromEntries(outputs) };
}
