/** Refusals of workflows, in ComfyUI's words. */
import type { Fault, FaultReport } from '../../workflow/faults.js';

/** What ComfyUI's /prompt says of a workflow that it refuses (execution.py, validate_prompt). */
export function refusalBody(report: FaultReport | undefined) {
  const { error } = report ?? NO_OUTPUTS;
  const nodes = nodeErrors(report);
  if (error.type === 'missing_node_type') {
    // The first one, and no others.
    return { error: { ...error, details: error.details.replace(/;.*$/s, '') }, node_errors: {} };
  }
  if (error.type !== 'prompt_outputs_failed_validation') return { error, node_errors: nodes };
  // There, an output's own faults are listed; those of nodes before it are in `node_errors` alone.
  const own = Object.entries(nodes).filter(([id, { dependent_outputs: outputs }]) => outputs.includes(id));
  const details = own.flatMap(([, { errors }]) =>
    errors.map((fault) => `${fault.message}: ${fault.details}`),
  );
  return { error: { ...error, details: details.join('\n') }, node_errors: nodes };
}

/** Without what latentd adds: nearest names, and what was expected where an input is missing. */
export function nodeErrors(report: FaultReport | undefined): FaultReport['node_errors'] {
  const nodes = Object.entries(report?.node_errors ?? {});
  return Object.fromEntries(
    nodes.map(([id, node]) => [id, { ...node, errors: node.errors.map(plainFault) }]),
  );
}

function plainFault(fault: Fault): Fault {
  const { type, details, extra_info: info } = fault;
  if (type === 'required_input_missing') {
    return { ...fault, extra_info: { input_name: info['input_name'] ?? null } };
  }
  return { ...fault, details: details.replace(/; nearest: .*$/s, '') };
}

const NO_OUTPUTS: FaultReport = {
  error: { type: 'prompt_no_outputs', message: 'Prompt has no outputs', details: '', extra_info: {} },
  node_errors: {},
};
