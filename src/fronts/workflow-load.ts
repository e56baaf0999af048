/** What decides how long a workflow takes, as far as its inputs tell. */
import type { JobLoad } from '../jobs/job.js';
import type { Workflow } from '../workflow/parse.js';

/** Of nothing that could be read. */
export const NO_LOAD: JobLoad = { model: '', pixels: 512 * 512, steps: 1, images: 1 };

/** Inputs that name what a workflow samples with, or what else it loads that is large: the first that is there counts. */
const MODEL_INPUTS = ['ckpt_name', 'unet_name', 'model_name'] as const;

/** Of one run. Where nodes disagree, the first size counts, and the most steps. */
export function workflowLoad(workflow: Workflow): JobLoad {
  const inputs = [...workflow.nodes.values()].map((node) => node.inputs);
  const numbers = (name: string) =>
    inputs.map((each) => each.get(name)).flatMap((value) => (typeof value === 'bigint' ? Number(value) : []));
  const model = MODEL_INPUTS.flatMap((name) => inputs.map((each) => each.get(name))).find(
    (name) => typeof name === 'string',
  );
  return {
    model: model ?? '',
    pixels: (numbers('width')[0] ?? 512) * (numbers('height')[0] ?? 512),
    steps: Math.max(1, ...numbers('steps').slice(0, 100)),
    images: 1,
  };
}
