/** `{{PROMPT}}`, `{{BATCH_INDEX}}` and `{{FRAME_INDEX}}` in a workflow's texts. */
import type { Literal } from '../workflow/literal.js';
import type { Workflow } from '../workflow/parse.js';
import { mapInputs } from './edit-workflow.js';

export interface PlaceholderValues {
  readonly PROMPT: string;
  /** From 0; or a text to stand for it. */
  readonly BATCH_INDEX: number | string;
  readonly FRAME_INDEX: number | string;
}

export type Placeholder = keyof PlaceholderValues;

const PATTERN = /\{\{(PROMPT|BATCH_INDEX|FRAME_INDEX)\}\}/g;

/** The placeholders that a workflow has. */
export function placeholdersOf(workflow: Workflow): ReadonlySet<Placeholder> {
  const found = new Set<Placeholder>();
  for (const node of workflow.nodes.values()) {
    for (const value of node.inputs.values()) {
      if (typeof value !== 'string') continue;
      for (const [, name] of value.matchAll(PATTERN)) found.add(name as Placeholder);
    }
  }
  return found;
}

/** Puts values in their place. A text that is a number's placeholder and nothing else becomes that number. */
export function fillPlaceholders(workflow: Workflow, values: PlaceholderValues): Workflow {
  return mapInputs(workflow, (value) => (typeof value === 'string' ? fill(value, values) : value));
}

function fill(text: string, values: PlaceholderValues): Literal {
  const whole = /^\{\{(BATCH_INDEX|FRAME_INDEX)\}\}$/.exec(text);
  if (whole !== null) {
    const value = values[whole[1] as 'BATCH_INDEX' | 'FRAME_INDEX'];
    return typeof value === 'number' ? BigInt(value) : value;
  }
  return text.replace(PATTERN, (_, name: Placeholder) => String(values[name]));
}
