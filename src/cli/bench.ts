/** `latentd bench`: times a text-to-image workflow stage by stage, and says where the time went. */
import { Command } from 'commander';
import { cancelOnSignals } from './cancel-on-signals.js';
import { addSettingOptions } from './setting-options.js';
import type { BenchFlags } from './bench/flags.js';

export function benchCommand(exit: (status: number) => void): Command {
  const command = new Command('bench')
    .description('time text to image stage by stage, and compare with an earlier time')
    .option('--checkpoint <NAME>', 'the checkpoint to load (default: the first that draws from text)')
    .option('--width <W>', 'pixels (default: 512)')
    .option('--height <H>', 'pixels (default: 512)')
    .option('--batch <N>', 'images made at a time (default: 1)')
    .option('--steps <N>', 'sampling steps (default: 8)')
    .option('--sampler <NAME>', 'as KSampler knows it (default: euler)')
    .option('--scheduler <NAME>', 'as KSampler knows it (default: normal)')
    .option(
      '--matrix <AXIS=A,B>',
      'measure every combination: size=512x512,768x768, batch=, steps=, sampler=, scheduler=, checkpoint=; may be repeated',
      (value: string, before: readonly string[] | undefined) => [...(before ?? []), value],
    )
    .option('--repeats <N>', 'warm runs that count (default: 5)')
    .option('--warmup <N>', 'warm runs before those (default: 1)')
    .option('--cold <N>', 'processes that are started cold (default: 3)')
    .option('--json <FILE>', 'write everything that was measured; - for standard output')
    .option('--html <FILE>', 'write a page with charts')
    .option('--compare <OLD.json>', 'say what is faster or slower than in an earlier --json')
    .option('--profile <FILE>', 'write a Chrome trace of a cold and a warm run, down to operators');
  return addSettingOptions(command, [
    'models',
    'extraModelPaths',
    'device',
    'threads',
    'memoryLimit',
    'precision',
  ]).action(async (options: BenchFlags) => {
    const watch = cancelOnSignals();
    try {
      // Loaded here, so that the help of other commands doesn't wait for it.
      const { runBench } = await import('./bench/run-bench.js');
      await watch.insist();
      const code = await runBench(options, watch.signal);
      exit(watch.exitCode ?? code);
    } finally {
      watch.release();
    }
  });
}
