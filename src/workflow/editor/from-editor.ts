import type { Folders } from '../../models/folders/folders.js';
import type { NodeRegistry } from '../../nodes/index.js';
import { infoByName } from '../object-info.js';
import type { FromEditor } from '../parse.js';
import { convertEditorWorkflow } from './convert.js';

/** Converts with the node classes of a registry. */
export function editorReader(registry: NodeRegistry, folders: Folders): FromEditor {
  return (workflow) => convertEditorWorkflow(workflow, { infoOf: infoByName(registry, folders) }).prompt;
}
