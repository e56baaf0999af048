/** Prompts with choices as nodes (modules/impact/impact_pack.py, impact_server.py). */
import { defineNode, link, seed, string, widget, type RunContext } from '../../public.js';
import { selectLora, selectWildcard } from './prompt-inputs.js';
import { encodeWithLoras } from './prompts.js';
import { populate, readWildcards, wildcardsFingerprint } from './wildcards.js';

const written = {
  wildcard_text: string({ multiline: true, tooltip: 'A text with choices: {a|b}, __words__.' }),
  populated_text: string({ multiline: true, tooltip: 'The same with its choices made.' }),
  mode: widget('BOOLEAN', {
    default: true,
    tooltip: 'Whether the choices of wildcard_text are made, or populated_text is taken.',
  }),
};
const seedInput = seed({ tooltip: 'What choices are made by.' });

interface Written {
  readonly wildcard_text: string;
  readonly populated_text: string;
  readonly mode: unknown;
  readonly seed: bigint;
}

/** Where choices are to be made and nothing is linked to their result, that is made here (onprompt_populate_wildcards). */
function populatedText(given: Written, { folders, receivedTypes }: RunContext): string {
  const isOn = given.mode === true || given.mode === 'populate';
  if (!isOn || receivedTypes['populated_text'] !== undefined) return given.populated_text;
  return populate(given.wildcard_text, given.seed, readWildcards(folders));
}

export const wildcardProcessor = defineNode({
  name: 'ImpactWildcardProcessor',
  displayName: 'ImpactWildcardProcessor',
  category: 'ImpactPack/Prompt',
  description: 'Makes the choices of a text by a seed; lists of words lie in the folder `wildcards`.',
  required: { ...written, seed: seedInput, 'Select to add Wildcard': selectWildcard },
  optional: {},
  outputs: [{ type: 'STRING', name: 'STRING' }],
  fingerprint: (_, folders) => wildcardsFingerprint(folders),
  run(given, context) {
    const text = populatedText(given, context);
    return { outputs: [populate(text, given.seed, readWildcards(context.folders))] };
  },
});

export const wildcardEncode = defineNode({
  name: 'ImpactWildcardEncode',
  displayName: 'ImpactWildcardEncode',
  category: 'ImpactPack/Prompt',
  description: 'Makes the choices of a prompt, applies the LoRAs that it names, and encodes it.',
  required: {
    model: link('MODEL'),
    clip: link('CLIP'),
    ...written,
    'Select to add LoRA': selectLora,
    'Select to add Wildcard': selectWildcard,
    seed: seedInput,
  },
  optional: {},
  outputs: [
    { type: 'MODEL', name: 'model' },
    { type: 'CLIP', name: 'clip' },
    { type: 'CONDITIONING', name: 'conditioning' },
    { type: 'STRING', name: 'populated_text' },
  ],
  fingerprint: (_, folders) => wildcardsFingerprint(folders),
  async run(given, context) {
    const text = populatedText(given, context);
    const encoded = await encodeWithLoras(given, text, given.seed, context);
    return { outputs: [encoded.model, encoded.clip, encoded.conditioning, encoded.text] };
  },
});
