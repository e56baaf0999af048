import { pythonJson } from './literal.js';
import type { Workflow } from './parse.js';

/** A workflow as JSON text that `parseWorkflow` reads back the same: with its integers, the order of its keys, its extra data. */
export function workflowJson({ nodes, extraData }: Workflow): string {
  const prompt = new Map([...nodes].map(([id, { source }]) => [id, source]));
  return pythonJson(
    extraData.size === 0
      ? prompt
      : new Map([
          ['prompt', prompt],
          ['extra_data', extraData],
        ]),
  );
}
