import { expect, it } from 'vitest';
import { nodeClasses } from '../../src/nodes/index.js';
import { nodeDocs } from '../../tools/node-docs.js';
import { objectInfoDocs } from '../../tools/object-info-docs.js';
import { nodeContext } from '../support/node-context.js';

it('docs/nodes.md says what the node classes are', async () => {
  await expect(nodeDocs(nodeClasses.values())).toMatchFileSnapshot('../../docs/nodes.md');
});

it("docs/object-info.md says which of ComfyUI's classes there are", async () => {
  await expect(objectInfoDocs(nodeContext().folders)).toMatchFileSnapshot('../../docs/object-info.md');
});
