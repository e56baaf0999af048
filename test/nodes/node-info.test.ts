import { describe, expect, it } from 'vitest';
import { nodeClasses } from '../../src/nodes/index.js';
import { differencesOf, EXPLAINED } from '../../tools/object-info-docs.js';
import { nodeContext } from '../support/node-context.js';

describe("node classes are declared as ComfyUI's are", () => {
  const names = [...nodeClasses.keys()];

  it.each(names)('%s', (name) => {
    const found = differencesOf(nodeContext().folders).get(name)!;
    const unexplained = found.filter(({ where }) => EXPLAINED[name]?.[where] === undefined);
    expect(unexplained).toEqual([]);
  });
});
