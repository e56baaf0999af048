/** What the options change in a workflow before it runs. */
import { completeName, type Folders } from '../../models/folders/folders.js';
import type { ModelKind } from '../../models/folders/model-folders.js';
import { mapInputs } from '../../templates/edit-workflow.js';
import { fillWorkflow, type TemplateValues } from '../../templates/fill.js';
import { fillPlaceholders, placeholdersOf } from '../../templates/placeholders.js';
import type { Workflow } from '../../workflow/parse.js';
import { UsageError } from '../exit-codes.js';
import { applySeed, applySet, parseSeed } from '../overrides.js';
import { readNumber, readPair } from '../read-flags.js';
import type { RunFlags } from './flags.js';
import { notice } from '../terminal.js';

const DEFAULT_PROMPT = 'a knight with a round shield';

/**
 * Fills placeholders in, names models and seeds, then sets single inputs, which therefore have the last word. Throws
 * `UsageError` for an option that the workflow has no use for, and `ModelError` for a model that isn't there.
 */
export function applyOptions(workflow: Workflow, options: RunFlags, folders: Folders): Workflow {
  let changed = fillIn(workflow, options);
  const checkpoint = options.checkpoint ?? options.model;
  if (checkpoint !== undefined) {
    changed = nameModel(changed, '--checkpoint', 'checkpoints', 'ckpt_name', checkpoint, folders);
  }
  if (options.lora !== undefined) {
    changed = nameModel(changed, '--lora', 'loras', 'lora_name', options.lora, folders);
  }
  if (options.seed !== undefined) {
    const seed = parseSeed(options.seed);
    if (options.seed === 'random') notice(`seed ${seed}`);
    changed = applySeed(changed, seed);
  }
  changed = applySampling(changed, options);
  for (const assignment of options.set ?? []) changed = applySet(changed, assignment);
  return changed;
}

/** What `latentd submit` has the daemon do with the same flags. Throws `UsageError` where the workflow has no place for one. */
function applySampling(workflow: Workflow, options: RunFlags): Workflow {
  const steps = readNumber('--steps', options.steps);
  if (steps !== undefined && !(Number.isSafeInteger(steps) && steps >= 1 && steps <= 10_000))
    throw new UsageError(`--steps must be a whole number from 1 to 10000, not ${steps}`);
  const cfg = readNumber('--cfg', options.cfg);
  const [width, height] = options.size === undefined ? [] : readPair('--size', options.size);
  const { negative } = options;
  const changes: readonly (readonly [flag: string, values: TemplateValues, others: TemplateValues])[] = [
    ...(steps === undefined ? [] : [['--steps', { steps }, { steps: steps + 1 }] as const]),
    ...(cfg === undefined ? [] : [['--cfg', { cfg }, { cfg: cfg + 1 }] as const]),
    ...(width === undefined || height === undefined
      ? []
      : [['--size', { width, height }, { width: width + 8, height: height + 8 }] as const]),
    ...(negative === undefined
      ? []
      : [['--negative', { negativePrompt: negative }, { negativePrompt: `${negative}.` }] as const]),
  ];
  let changed = workflow;
  for (const [flag, values, others] of changes) {
    // The workflow may say the very same already: then another value would change it.
    if ([values, others].every((given) => isSame(changed, fillWorkflow(changed, given)))) {
      throw new UsageError(
        `${flag}: no sampler of this workflow takes it from a node; use --set NODE.INPUT=VALUE`,
      );
    }
    changed = fillWorkflow(changed, values);
  }
  return changed;
}

function isSame(one: Workflow, other: Workflow): boolean {
  return [...other.nodes].every(([id, node]) => {
    const before = one.nodes.get(id);
    return (
      before !== undefined && [...node.inputs].every(([name, value]) => before.inputs.get(name) === value)
    );
  });
}

/** Fills placeholders in. Throws `UsageError` for a value that the workflow has no placeholder for. */
export function fillIn(
  workflow: Workflow,
  options: Pick<RunFlags, 'prompt' | 'batchIndex' | 'frameIndex'>,
): Workflow {
  const placeholders = placeholdersOf(workflow);
  const given = { PROMPT: options.prompt, BATCH_INDEX: options.batchIndex, FRAME_INDEX: options.frameIndex };
  const flags = { PROMPT: '--prompt', BATCH_INDEX: '--batch-index', FRAME_INDEX: '--frame-index' };
  for (const name of ['PROMPT', 'BATCH_INDEX', 'FRAME_INDEX'] as const) {
    if (given[name] === undefined || placeholders.has(name)) continue;
    throw new UsageError(
      `${flags[name]}: this workflow has no {{${name}}}; set a node's input instead, as in --set 2.text=TEXT`,
    );
  }
  if (placeholders.size === 0) return workflow;
  if (placeholders.has('PROMPT') && options.prompt === undefined) {
    notice(`no --prompt was given, so it is ${JSON.stringify(DEFAULT_PROMPT)}`);
  }
  return fillPlaceholders(workflow, {
    PROMPT: options.prompt ?? DEFAULT_PROMPT,
    BATCH_INDEX: readIndex(options.batchIndex, flags.BATCH_INDEX),
    FRAME_INDEX: readIndex(options.frameIndex, flags.FRAME_INDEX),
  });
}

function readIndex(text: string | undefined, flag: string): number {
  if (text === undefined) return 0;
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new UsageError(`${flag} must be a whole number from 0, not ${JSON.stringify(text)}`);
}

/** Names a model in the one node that loads such a model; its extension may be left out. */
function nameModel(
  workflow: Workflow,
  flag: string,
  kind: ModelKind,
  input: string,
  name: string,
  folders: Folders,
): Workflow {
  const loaders = [...workflow.nodes.values()].filter((node) => typeof node.inputs.get(input) === 'string');
  if (loaders.length !== 1) {
    const found = loaders.length === 0 ? 'no node' : `nodes ${loaders.map((node) => node.id).join(', ')}`;
    throw new UsageError(
      `${flag} is for workflows with one node that has ${input}; this one has ${found}; use --set`,
    );
  }
  const listed = completeName(folders.list(kind), name);
  // Says what is there instead.
  if (listed === undefined) folders.resolve(kind, name);
  return mapInputs(workflow, (value, key, node) =>
    node === loaders[0] && key === input ? (listed ?? name) : value,
  );
}
