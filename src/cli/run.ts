/** `latentd run WORKFLOW.json`: runs a workflow in this process and says where its results are. */
import { Command } from 'commander';
import { ConfigError } from '../config/config-error.js';
import { ModelError } from '../models/model-error.js';
import { cancelOnSignals } from './cancel-on-signals.js';
import { UsageError } from './exit-codes.js';
import { crashed, refused, STOPPED, type RunOutcome } from './run/outcome.js';
import { addSettingOptions } from './setting-options.js';
import type { RunFlags } from './run/flags.js';
import { jsonText, print, printJson, reportLines } from './terminal.js';

export function runCommand(exit: (status: number) => void): Command {
  const command = new Command('run')
    .description("run a workflow in ComfyUI's API format")
    .argument('<WORKFLOW>', 'a JSON file, the name of a template, or - for standard input')
    .option('--prompt <TEXT>', 'what {{PROMPT}} stands for in a template')
    .option('--checkpoint <NAME>', 'the checkpoint to load, as `latentd models` lists it')
    .option('--model <NAME>', 'the same as --checkpoint')
    .option('--lora <NAME>', 'the LoRA to load')
    .option('--negative <TEXT>', 'what not to draw')
    .option('--steps <N>', 'sampling steps')
    .option('--size <WxH>', 'size of the image')
    .option('--cfg <SCALE>', 'how closely to keep to the prompt')
    .option('--seed <N>', 'the seed of every sampler, or "random"')
    .option(
      '--set <NODE.INPUT=VALUE>',
      'set an input of a node, named by id or title; may be repeated',
      collect,
    )
    .option('--batch-index <N>', 'what {{BATCH_INDEX}} stands for (default: 0)')
    .option('--frame-index <N>', 'what {{FRAME_INDEX}} stands for (default: 0)')
    .option('--json', 'print one JSON object: status, outputs, timings, error');
  return addSettingOptions(command).action(async (workflow: string, options: RunFlags) => {
    const outcome = await carryOut(workflow, options);
    if (options.json === true) printJson(outcome.json);
    else for (const path of outcome.files) print(path);
    if (outcome.summary !== '') reportLines(outcome.summary);
    exit(outcome.exitCode);
  });
}

async function carryOut(workflow: string, options: RunFlags): Promise<RunOutcome> {
  const watch = cancelOnSignals();
  try {
    // Loaded here, so that `latentd --help` doesn't wait for it.
    const { runWorkflow } = await import('./run/run-workflow.js');
    await watch.insist(options.json === true ? jsonText(STOPPED) : '');
    return await runWorkflow(workflow, options, watch);
  } catch (error) {
    if (error instanceof UsageError || error instanceof ConfigError || error instanceof ModelError) {
      return refused(error.message);
    }
    return crashed(error);
  } finally {
    watch.release();
  }
}

function collect(value: string, before: readonly string[] | undefined): readonly string[] {
  return [...(before ?? []), value];
}
