/** LoRAs by the list (rgthree-comfy py/power_lora_loader.py, lora_stack.py). */
import { basename, extname } from 'node:path/posix';
import {
  applyLoraFile,
  combo,
  defineControlNode,
  defineNode,
  float,
  link,
  type RunContext,
} from '../../public.js';

const described = { category: 'rgthree' };

/** What the node's own widget writes, `lora_1` and on. */
interface ChosenLora {
  readonly on: boolean;
  readonly lora: string;
  readonly strength: number;
  readonly strengthTwo?: number | null;
}

function isChosen(name: string, value: unknown): value is ChosenLora {
  if (!name.toUpperCase().startsWith('LORA_') || typeof value !== 'object' || value === null) return false;
  const { on, lora, strength } = value as Partial<ChosenLora>;
  return on !== undefined && typeof lora === 'string' && typeof strength === 'number';
}

export const powerLoraLoader = defineControlNode({
  ...described,
  name: 'Power Lora Loader (rgthree)',
  displayName: 'Power Lora Loader (rgthree)',
  description: 'Applies any number of LoRAs to a model and its text encoders.',
  required: {},
  optional: { model: link('MODEL'), clip: link('CLIP') },
  takesMore: true,
  outputs: [
    { type: 'MODEL', name: 'MODEL' },
    { type: 'CLIP', name: 'CLIP' },
  ],
  run({ model, clip, ...more }, context) {
    let changed: { readonly model: typeof model; readonly clip: typeof clip } = { model, clip };
    for (const [name, chosen] of Object.entries(more)) {
      if (!isChosen(name, chosen) || !chosen.on || changed.model === undefined) continue;
      const file = findLora(chosen.lora, context);
      if (file === undefined) continue;
      const targets = { model: changed.model, clip: changed.clip };
      const strengths = {
        model: chosen.strength,
        clip: clip === undefined ? 0 : (chosen.strengthTwo ?? chosen.strength),
      };
      changed = applyLoraFile(targets, file, strengths, context);
    }
    return { outputs: [changed.model ?? null, changed.clip ?? null] };
  },
});

const stem = (path: string) => path.slice(0, path.length - extname(path).length);

/** The file that a name means: as it is, without its extension, without its folder, or as a part of a path. */
function findLora(name: string, { folders, warn }: RunContext): string | undefined {
  const files = folders.list('loras');
  const plain = name.replaceAll('\\', '/');
  const found =
    files.find((file) => file === plain) ??
    files.find((file) => stem(file) === plain || stem(file) === stem(plain)) ??
    files.find((file) => basename(file) === basename(plain)) ??
    files.find((file) => stem(basename(file)) === stem(basename(plain))) ??
    files.find((file) => file.includes(plain));
  if (found === undefined) warn(`there is no LoRA ${plain.slice(0, 200)}: it is left out`);
  return found;
}

const lora = combo((folders) => ['None', ...folders.list('loras')]);
const strength = float({ default: 1, min: -10, max: 10, step: 0.01 });

export const loraLoaderStack = defineNode({
  ...described,
  name: 'Lora Loader Stack (rgthree)',
  displayName: 'Lora Loader Stack (rgthree)',
  description: 'Applies up to four LoRAs to a model and its text encoders.',
  required: {
    model: link('MODEL'),
    clip: link('CLIP'),
    lora_01: lora,
    strength_01: strength,
    lora_02: lora,
    strength_02: strength,
    lora_03: lora,
    strength_03: strength,
    lora_04: lora,
    strength_04: strength,
  },
  optional: {},
  outputs: [
    { type: 'MODEL', name: 'MODEL' },
    { type: 'CLIP', name: 'CLIP' },
  ],
  run({ model, clip, ...given }, context) {
    const chosen = [
      [given.lora_01, given.strength_01],
      [given.lora_02, given.strength_02],
      [given.lora_03, given.strength_03],
      [given.lora_04, given.strength_04],
    ] as const;
    const changed = chosen.reduce(
      (models, [name, weight]) =>
        name === 'None' ? models : applyLoraFile(models, name, { model: weight, clip: weight }, context),
      { model, clip },
    );
    return { outputs: [changed.model, changed.clip] };
  },
});
