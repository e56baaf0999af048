/** Which checkpoint, and which LoRA, a template runs with where those that it names aren't there. */
import { join } from 'node:path';
import type { ResolvedSettings } from '../../config/resolve-settings.js';
import type { Folders } from '../../models/folders/folders.js';
import { STARTER, TEMPLATE_SIDE } from '../../models/folders/starter.js';
import { mapInputs } from '../../templates/edit-workflow.js';
import type { Workflow } from '../../workflow/parse.js';
import type { Literal } from '../../workflow/literal.js';
import { notice } from '../terminal.js';

/** What the shipped templates name, as DGX-Pixels' do. */
const NAMED_BY_TEMPLATES = 'sd_xl_base_1.0.safetensors';
const LORA_NAMED_BY_TEMPLATES = 'pixel-art-xl.safetensors';

/**
 * Where a template names SDXL's base checkpoint and it isn't there, puts in one that is, and says so. Where there is none at
 * all in the default models folder, the package's starter model is put there first, and its LoRA for a template that takes one; a
 * models folder that the user named is never written to.
 */
export async function useAvailableCheckpoint(
  workflow: Workflow,
  folders: Folders,
  settings: ResolvedSettings,
): Promise<Workflow> {
  const wanted = [...workflow.nodes.values()].some(
    (node) => node.inputs.get('ckpt_name') === NAMED_BY_TEMPLATES,
  );
  if (!wanted || folders.list('checkpoints').includes(NAMED_BY_TEMPLATES)) return workflow;
  const { chooseCheckpoint, putShipped } = await import('../../engine/available-checkpoint.js');
  let name = chooseCheckpoint(folders);
  const put = (kind: string, file: string) =>
    settings.models.source === 'default' && putShipped(join(kind, file), settings.models.value);
  if (name === undefined && put('checkpoints', STARTER.checkpoint)) name = STARTER.checkpoint;
  if (name === undefined) {
    notice(
      `Put an SDXL checkpoint into ${join(settings.models.value, 'checkpoints')}; the template takes any.`,
    );
    return workflow;
  }
  const chosen = name;
  const advice =
    chosen === STARTER.checkpoint
      ? `a tiny model of pixel-art sprites, at ${STARTER.side}×${STARTER.side}; put an SDXL checkpoint beside it for more`
      : '--checkpoint NAME takes another';
  notice(`${NAMED_BY_TEMPLATES} isn't there, so the template runs with ${chosen} (${advice})`);
  return mapInputs(workflow, (value, input) => {
    if (input === 'ckpt_name' && value === NAMED_BY_TEMPLATES) return chosen;
    if (chosen !== STARTER.checkpoint) return value;
    if (input === 'lora_name' && value === LORA_NAMED_BY_TEMPLATES) {
      const there = folders.list('loras').includes(STARTER.lora) || put('loras', STARTER.lora);
      if (there) notice(`${value} is for SDXL, so the template runs with ${STARTER.lora}`);
      return there ? STARTER.lora : value;
    }
    return suitedToStarter(value, input);
  });
}

/** The templates' own canvas and guidance, meant for SDXL, as the starter model needs them; what the user set stays. */
function suitedToStarter(value: Literal, input: string): Literal {
  if ((input === 'width' || input === 'height') && value === BigInt(TEMPLATE_SIDE))
    return BigInt(STARTER.side);
  if (input === 'cfg' && value === 7n) return BigInt(STARTER.cfg);
  return value;
}
