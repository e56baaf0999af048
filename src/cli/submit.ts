/** `latentd submit`: gives the daemon a job. */
import { Command } from 'commander';
import { CLIENT_SETTING_NAMES } from '../config/settings.js';
import { addSettingOptions } from './setting-options.js';
import type { SubmitFlags } from './client/submit-flags.js';

export function submitCommand(exit: (status: number) => void): Command {
  const command = new Command('submit')
    .description('give the daemon a job, and print its id')
    .requiredOption('--prompt <TEXT>', 'what to draw')
    .option('--negative-prompt <TEXT>', "what not to draw, instead of the template's")
    .option(
      '--model <NAME>',
      'the checkpoint (default: the first that the daemon lists, the starter model last)',
    )
    .option('--size <WxH>', 'size of the image (default: 1024x1024, the starter model 128x128)')
    .option('--steps <N>', 'sampling steps', '20')
    .option('--cfg <SCALE>', 'how closely to keep to the prompt (default: 7, the starter model 4)')
    .option('--lora <NAME>', 'a LoRA')
    .option('--lora-strength <X>', "its strength (default: the template's)")
    .option('--seed <N>', 'the seed (default: a random one)')
    .option('--sampler <NAME>', "the sampler (default: the template's)")
    .option('--scheduler <NAME>', "the scheduler (default: the template's)")
    .option('--denoise <X>', 'how much of an image to draw anew, 0 to 1')
    .option('--batch <N>', 'as many images')
    .option('--frames <N>', 'an animation of as many frames')
    .option('--tiles <CxR>', 'a tileset of as many columns and rows')
    .option('--workflow <NAME|FILE>', "a template of the daemon, or a file in ComfyUI's API format")
    .option('--id <ID>', 'the id of the job (default: a random one)')
    .option('--wait', 'wait until the job is over, and print where its image is')
    .option('--json', 'print one JSON object');
  return addSettingOptions(command, CLIENT_SETTING_NAMES).action(async (options: SubmitFlags) => {
    const { submit } = await import('./client/submit.js');
    exit(await submit(options));
  });
}
