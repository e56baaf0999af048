import { WorkflowError } from '../workflow/faults.js';
import { workflowFromObject } from '../workflow/parse.js';
import { workflowJson } from '../workflow/workflow-json.js';
import { ClientError } from './client.js';

/** A workflow as JSON text that keeps its integers. Throws `ClientError` (`invalid`). */
export function workflowText(workflow: string | Readonly<Record<string, unknown>>): string {
  if (typeof workflow === 'string') return workflow;
  try {
    return workflowJson(workflowFromObject(workflow));
  } catch (error) {
    if (error instanceof WorkflowError) throw new ClientError('invalid', error.message, { cause: error });
    throw error;
  }
}
