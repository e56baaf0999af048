import { createFolders } from '../models/folders/folders.js';
import { nodeClasses } from '../nodes/index.js';
import { editorReader } from '../workflow/editor/from-editor.js';
import { parseWorkflow, type Workflow } from '../workflow/parse.js';

/** A workflow in either form, with the node classes of the package. Throws `WorkflowError`. */
export function readEditorText(text: string): Workflow {
  const folders = createFolders({ models: 'models', input: 'input', output: 'output', temp: 'temp' });
  return parseWorkflow(text, { fromEditor: editorReader(nodeClasses, folders) });
}
