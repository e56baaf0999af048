/** What an engine process is asked to do: one workflow, or a series of workflows that differ in single inputs. */
import { mapInputs } from '../templates/edit-workflow.js';
import type { Literal } from '../workflow/literal.js';
import { parseWorkflow, type Workflow } from '../workflow/parse.js';

export interface JobTask {
  /** JSON text in ComfyUI's API format, or of a /prompt body around one. */
  readonly workflow: string;
  /** Where it is run several times: how often, and what differs. */
  readonly series?: Series;
  /** The pictures of all runs are put together, too. */
  readonly assembly?: Assembly;
  /** Outputs of a workflow that has not changed since an earlier job are not saved again: theirs stand for them, as in ComfyUI. */
  readonly reusesOutputs?: boolean;
  /** The job fails where its runs saved and showed no picture and no film: whoever asked wants nothing else. */
  readonly needsPicture?: boolean;
}

/** A job of a thousand pictures is one workflow and the inputs that change, not a thousand workflows. */
export interface Series {
  readonly count: number;
  readonly varying: readonly VaryingInput[];
}

/** An integer grows by the index of the run, modulo 2^64 as seeds do; in a text, `SERIES_INDEX` stands for it. */
export interface VaryingInput {
  readonly node: string;
  readonly input: string;
}

export const SERIES_INDEX = '{{SERIES_INDEX}}';

/** Pictures of one size laid out in a grid, row by row, in the output folder. */
export interface Assembly {
  readonly columns: number;
  /** `NAME_sheet.png`; a plain file name. */
  readonly name: string;
  /** Whether they are the frames of `NAME.gif`, too. */
  readonly animated: boolean;
}

/** How many workflows a task runs. */
export function runCount({ series }: JobTask): number {
  return series?.count ?? 1;
}

/** The workflows of a task, one after the other. Throws `WorkflowError` for a text that is none. */
export function* workflowsOf(task: JobTask): Generator<Workflow, void> {
  const base = parseWorkflow(task.workflow);
  const varying = new Set(task.series?.varying.map(({ node, input }) => keyOf(node, input)));
  for (let index = 0; index < runCount(task); index++) {
    yield varying.size === 0
      ? base
      : mapInputs(base, (value, input, node) =>
          varying.has(keyOf(node.id, input)) ? valueAt(index, value) : value,
        );
  }
}

function keyOf(node: string, input: string): string {
  return `${node}\n${input}`;
}

function valueAt(index: number, value: Literal): Literal {
  if (typeof value === 'bigint') return BigInt.asUintN(64, value + BigInt(index));
  return typeof value === 'string' ? value.replaceAll(SERIES_INDEX, String(index)) : value;
}
