import { tmpdir } from 'node:os';
import { describe, expect, it } from 'vitest';
import { createFolders } from '../../src/models/folders/folders.js';
import { differencesOf, EXPLAINED, unexplainedClasses } from '../../tools/object-info-docs.js';

/** Lists of files are compared by their being lists of files. */
const folders = createFolders({ models: tmpdir(), input: tmpdir(), output: tmpdir(), temp: tmpdir() });

describe("node classes are declared as ComfyUI's are", () => {
  it.each([...differencesOf(folders)])('%s', (name, found) => {
    const unexplained = found.filter(({ where }) => EXPLAINED[name]?.[where] === undefined);
    expect(unexplained).toEqual([]);
  });
});

it("says why it lacks what it lacks of ComfyUI's classes", () => {
  expect(unexplainedClasses()).toEqual([]);
});
