import { expect, test } from 'vitest';
import { rejectMissing } from '../../../src/nodes/files/input-files.js';
import { nodeContext } from '../../support/node-context.js';

test.each([
  ['https://example.org/a.png', 'is an address'],
  ['data:image/png;base64,AAAA', 'is the data of a file'],
  ['C:\\Users\\me\\a.png', 'is a path of another machine'],
  ['\\\\server\\share\\a.png', 'is a path of another machine'],
])('%s %s, and the error says where the file belongs', (name, what) => {
  const { folders } = nodeContext();
  const reason = rejectMissing(name, folders);
  expect(reason).toContain(what);
  expect(reason).toContain(`put the file into the input folder ${folders.input}`);
});
