/** The command line as a whole: its commands, and what becomes of an error that one of them throws. */
import { Command, CommanderError } from 'commander';
import { ConfigError } from '../config/config-error.js';
import { AddonError } from '../native/native-files.js';
import { benchCommand } from './bench.js';
import { cancelCommand } from './cancel.js';
import { checkCommand } from './check.js';
import { convertCommand } from './convert.js';
import { doctorCommand } from './doctor.js';
import { EXIT, UsageError } from './exit-codes.js';
import { jobsCommand } from './jobs.js';
import { keysCommand } from './keys.js';
import { modelsCommand } from './models.js';
import { packageVersion } from './package-version.js';
import { pullCommand } from './pull.js';
import { runCommand } from './run.js';
import { refused } from './run/outcome.js';
import { serveCommand } from './serve.js';
import { serviceCommand } from './service.js';
import { completionCommand, manCommand } from './shell.js';
import { statusCommand } from './status.js';
import { submitCommand } from './submit.js';
import { isVerbose, printJson, reportLines, setVerbosity } from './terminal.js';
import { upscaleCommand } from './upscale.js';
import { watchCommand } from './watch.js';
import { workerCommand } from './worker.js';

/** Obeys the command line and returns the exit code. */
export async function main(argv: readonly string[]): Promise<number> {
  let code: number = EXIT.done;
  const exit = (status: number): void => {
    code = status;
  };
  try {
    await createProgram(exit).parseAsync(argv);
  } catch (error) {
    if (error instanceof CommanderError) {
      if (error.exitCode === 0) return EXIT.done;
      if (argv.includes('--json')) printJson(refused(error.message).json);
      return EXIT.usage;
    }
    if (error instanceof AddonError) {
      reportLines(`latentd: ${error.message}`);
      return EXIT.failed;
    }
    if (error instanceof UsageError || error instanceof ConfigError) {
      reportLines(`latentd: ${error.message}`);
      return EXIT.usage;
    }
    reportLines(`latentd: ${describeFault(error)}`);
    return EXIT.failed;
  }
  return code;
}

/** Of something that nobody foresaw. */
function describeFault(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return isVerbose() ? (error.stack ?? error.message) : `${error.message} (--verbose says where)`;
}

/** All commands; `exit` is told the exit code. */
export function createProgram(exit: (status: number) => void): Command {
  const program = new Command('latentd')
    .description('Runs ComfyUI workflows headless, with no ComfyUI and no Python.')
    .version(packageVersion(), '-V, --version')
    .showHelpAfterError('(latentd COMMAND --help says more)')
    .configureOutput({
      writeErr: (text) => {
        reportLines(text.trimEnd());
      },
    })
    .exitOverride();
  const commands = [
    runCommand,
    upscaleCommand,
    serveCommand,
    workerCommand,
    submitCommand,
    jobsCommand,
    statusCommand,
    watchCommand,
    cancelCommand,
    keysCommand,
    checkCommand,
    convertCommand,
    benchCommand,
    modelsCommand,
    pullCommand,
    doctorCommand,
    serviceCommand,
  ];
  for (const command of commands) {
    program.addCommand(withVerbosity(command(exit).copyInheritedSettings(program)));
  }
  for (const command of [completionCommand, manCommand]) {
    program.addCommand(command(exit, program).copyInheritedSettings(program));
  }
  return program;
}

/** Every command can say less or more. */
function withVerbosity(command: Command): Command {
  return command
    .option('-q, --quiet', 'only results and errors')
    .option('-v, --verbose', 'more of what it does, and where an unexpected error comes from')
    .hook('preAction', (_, action) => {
      const { quiet, verbose } = action.opts<{ readonly quiet?: boolean; readonly verbose?: boolean }>();
      if (quiet === true && verbose === true)
        throw new UsageError('--quiet and --verbose exclude each other');
      setVerbosity(quiet === true ? 'quiet' : verbose === true ? 'verbose' : 'normal');
    });
}
