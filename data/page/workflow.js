/** Workflows: read from files, and told in a few lines. */
import { post } from './api.js';

/** The body of a /prompt request for a file, as text: what the daemon finds in it, in whatever form. Throws an `Error` that says why there is none. */
export async function requestOf(file) {
  try {
    return await post('/page/workflow', file);
  } catch (error) {
    throw new Error(`${file.name}: ${error.message}`, { cause: error });
  }
}

const SEEDS = new Set(['seed', 'noise_seed']);

/** The same with every seed drawn anew, as text. */
export function withNewSeeds(prompt) {
  const drawn = crypto.getRandomValues(new Uint32Array(1))[0];
  return JSON.stringify(prompt, (key, value) => (SEEDS.has(key) && !Array.isArray(value) ? drawn : value));
}

const FACTS = [
  ['Checkpoint', ['ckpt_name', 'unet_name']],
  ['LoRA', ['lora_name']],
  ['Prompt', ['text', 'prompt']],
  ['Size', ['width']],
  ['Seed', ['seed', 'noise_seed']],
  ['Steps', ['steps']],
  ['CFG', ['cfg']],
  ['Sampler', ['sampler_name']],
  ['Scheduler', ['scheduler']],
];

/** What people ask first of a workflow: `[name, value]`. */
export function factsOf(prompt) {
  const nodes = Object.values(prompt).filter((node) => node?.inputs);
  return FACTS.flatMap(([name, inputs]) => {
    const values = nodes.flatMap(({ inputs: given }) =>
      inputs
        .filter((input) => given[input] !== undefined && !Array.isArray(given[input]) && given[input] !== '')
        .map((input) => (input === 'width' ? `${given.width}×${given.height ?? '?'}` : asText(given[input]))),
    );
    return values.length === 0 ? [] : [[name, [...new Set(values)].join('\n')]];
  });
}

function asText(value) {
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

/** A line for a queue. */
export function titleOf(prompt) {
  const facts = Object.fromEntries(factsOf(prompt));
  return (facts.Prompt ?? facts.Checkpoint ?? 'a workflow').split('\n')[0];
}
