import { fileURLToPath } from 'node:url';
import { Application, ReflectionKind } from 'typedoc';
import { expect, test } from 'vitest';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

test('pages of the public interface can be made, and every function and class says what it is', async () => {
  const application = await Application.bootstrapWithPlugins({
    options: `${ROOT}typedoc.json`,
    logLevel: 'Error',
    // What TypeScript says of the sources is a test of its own.
    skipErrorChecking: true,
  });
  const project = (await application.convert())!;
  application.validate(project);
  expect([application.logger.errorCount, application.logger.warningCount]).toEqual([0, 0]);
  const classes = project.getReflectionsByKind(ReflectionKind.Class);
  const functions = project
    .getReflectionsByKind(ReflectionKind.CallSignature)
    .filter(({ parent }) => parent?.kind === ReflectionKind.Function);
  expect(functions.length).toBeGreaterThan(0);
  const silent = [...classes, ...functions].filter((each) => !each.hasComment());
  expect(silent.map((each) => each.getFullName())).toEqual([]);
});
