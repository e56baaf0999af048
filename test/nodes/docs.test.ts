import { expect, it } from 'vitest';
import { nodeClasses } from '../../src/nodes/index.js';
import { nodeDocs } from '../../tools/node-docs.js';

it('docs/nodes.md says what the node classes are', async () => {
  await expect(nodeDocs(nodeClasses.values())).toMatchFileSnapshot('../../docs/nodes.md');
});
