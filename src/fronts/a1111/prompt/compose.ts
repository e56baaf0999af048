/** `AND` between prompts, each with a weight (modules/prompt_parser.py, get_multicond_prompt_list). */

export interface WeightedPrompt {
  readonly text: string;
  readonly weight: number;
}

const WEIGHT = /^(\s*.*?)(?:\s*:\s*([-+]?(?:\d+\.?|\d*\.\d+)))?\s*$/s;

export function promptsOf(prompt: string): readonly WeightedPrompt[] {
  return prompt.split(/\bAND\b/).map((part) => {
    const [, text = part, weight] = WEIGHT.exec(part) ?? [];
    return { text, weight: weight === undefined ? 1 : Number(weight) };
  });
}
