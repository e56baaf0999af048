/** `latentd submit`: gives the daemon a job. */
import { Command } from 'commander';
import { CLIENT_SETTING_NAMES } from '../config/settings.js';
import { addSettingOptions } from './setting-options.js';
import type { SubmitFlags } from './client/submit-flags.js';

export function submitCommand(exit: (status: number) => void): Command {
  const command = new Command('submit')
    .description('give the daemon a job, and print its id')
    .argument(
      '[WORKFLOW]',
      "a file in ComfyUI's API format, - for standard input, or a template of the daemon (default: the one that suits the request)",
    )
    .option('--prompt <TEXT>', 'what to draw; needed where no workflow is given')
    .option('--negative <TEXT>', "what not to draw, instead of the template's")
    .option('--negative-prompt <TEXT>', 'the same as --negative')
    .option(
      '--checkpoint <NAME>',
      "the checkpoint (default: a workflow's own, else the first that the daemon lists, the starter model last)",
    )
    .option('--model <NAME>', 'the same as --checkpoint')
    .option(
      '--size <WxH>',
      "size of the image (default: 1024x1024, the starter model 128x128, a workflow's own)",
    )
    .option('--steps <N>', "sampling steps (default: 20, a workflow's own)")
    .option(
      '--cfg <SCALE>',
      "how closely to keep to the prompt (default: 7, the starter model 4, a workflow's own)",
    )
    .option('--lora <NAME>', 'a LoRA')
    .option('--lora-strength <X>', "its strength (default: the template's)")
    .option('--seed <N>', 'the seed, or "random" (default: a random one, a workflow\'s own)')
    .option('--sampler <NAME>', "the sampler (default: the template's)")
    .option('--scheduler <NAME>', "the scheduler (default: the template's)")
    .option('--denoise <X>', 'how much of an image to draw anew, 0 to 1')
    .option('--batch <N>', 'as many images')
    .option('--frames <N>', 'an animation of as many frames')
    .option('--tiles <CxR>', 'a tileset of as many columns and rows')
    .option('--workflow <NAME|FILE>', 'the same as WORKFLOW')
    .option(
      '--set <NODE.INPUT=VALUE>',
      'set an input of a node of a file, named by id or title; may be repeated',
      collect,
    )
    .option('--id <ID>', 'the id of the job (default: a random one)')
    .option('--front', 'before all that wait')
    .option('--wait', 'wait until the job is over, and print where its image is')
    .option('--json', 'print one JSON object');
  return addSettingOptions(command, CLIENT_SETTING_NAMES).action(
    async (workflow: string | undefined, options: SubmitFlags) => {
      const { submit } = await import('./client/submit.js');
      exit(await submit({ ...options, workflow: workflow ?? options.workflow }));
    },
  );
}

function collect(value: string, before: readonly string[] | undefined): readonly string[] {
  return [...(before ?? []), value];
}
