import { randomUUID } from 'node:crypto';
import { parse } from 'node:path';
import { buffer as readAll } from 'node:stream/consumers';
import { STARTER } from '../../models/folders/starter.js';
import type { Message } from '../../fronts/dgx-pixels/wire/client.js';
import type { ModelEntry } from '../../fronts/dgx-pixels/wire/protocol.js';
import { WorkflowError } from '../../workflow/faults.js';
import { isMediaName, workflowFileText, workflowText } from '../../workflow/file-text.js';
import { parseWorkflow, type Workflow } from '../../workflow/parse.js';
import { workflowJson } from '../../workflow/workflow-json.js';
import { EXIT, UsageError } from '../exit-codes.js';
import { applySet, parseSeed } from '../overrides.js';
import { readNumber, readPair } from '../read-flags.js';
import { fillIn } from '../run/apply-options.js';
import type { SubmitFlags } from './submit-flags.js';
import { Bar } from '../bar.js';
import { detail, notice, print, report, reportLines } from '../terminal.js';
import { messageJson, withDaemon, type Connection } from './connection.js';
import { describeSeconds, describeUpdate } from './describe.js';
import { Follower, type JobEnding } from './follow.js';

/** Submits a job and, with `--wait`, waits for its end; returns the exit code. Throws `UsageError`. */
export async function submit(options: SubmitFlags): Promise<number> {
  const workflow = options.workflow === undefined ? undefined : await readWorkflow(options.workflow, options);
  if (workflow === undefined && options.prompt === undefined)
    throw new UsageError('--prompt says what to draw; without it, name a workflow');
  if (options.set !== undefined && !isFile(options.workflow))
    throw new UsageError("--set is for a workflow that is a file; the inputs of a template are the daemon's");
  const request = requestOf(options, workflow);
  return withDaemon(options, async (connection) => {
    const message = workflow === undefined ? await completed(connection, request) : request;
    if (message === undefined) {
      report('latentd: the daemon has no checkpoints; put one into its models/checkpoints');
      return EXIT.failed;
    }
    return options.wait === true
      ? submitAndWait(connection, message, options)
      : submitAlone(connection, message, options);
  });
}

type GenerateMessage = ReturnType<typeof requestOf>;

/** What a request without a workflow needs, where it wasn't given; undefined where the daemon has no checkpoint. */
async function completed(
  connection: Connection,
  request: GenerateMessage,
): Promise<GenerateMessage | undefined> {
  const model = request.model ?? (await firstModel(connection));
  if (model === undefined) return undefined;
  const { side, cfg } =
    parse(model).name === parse(STARTER.checkpoint).name ? STARTER : { side: 1024, cfg: 7 };
  return {
    ...request,
    model,
    size: request.size ?? [side, side],
    steps: request.steps ?? 20,
    cfg_scale: request.cfg_scale ?? cfg,
  };
}

async function submitAlone(
  connection: Connection,
  request: GenerateMessage,
  { json }: SubmitFlags,
): Promise<number> {
  const reply = await connection.ask(request);
  if (json === true) print(messageJson(reply));
  else if (reply.type === 'job_accepted') {
    print(request.id);
    if (typeof reply['notice'] === 'string') notice(`latentd: ${reply['notice']}`);
    notice(`done in about ${describeSeconds(Number(reply['estimated_time_s']))}`);
  } else reportLines(`latentd: ${refusal(reply)}`);
  return reply.type === 'job_accepted' ? EXIT.done : EXIT.failed;
}

async function submitAndWait(
  connection: Connection,
  request: GenerateMessage,
  { json }: SubmitFlags,
): Promise<number> {
  const bar = await Bar.open(process.stderr);
  const follower = new Follower(connection, (update) => {
    detail(describeUpdate(update));
    if (update.type === 'job_started' || update.type === 'progress') showProgress(bar, update);
  });
  await follower.ready();
  const reply = await connection.ask(request);
  if (reply.type !== 'job_accepted') {
    follower.close();
    reportLines(`latentd: ${refusal(reply)}`);
    return EXIT.failed;
  }
  if (typeof reply['notice'] === 'string') notice(`latentd: ${reply['notice']}`);
  bar.show(0, 0, { before: `${request.id} waits` });
  const ending = await follower.follow(request.id);
  bar.stop();
  if (ending === undefined) throw new Error(`the daemon lost job ${request.id}`);
  if (json === true) print(messageJson(endingJson(request.id, ending)));
  else if (ending.success) print(ending.imagePath ?? '');
  else reportLines(`latentd: ${ending.error ?? 'failed'}`);
  return ending.success ? EXIT.done : EXIT.failed;
}

function showProgress(bar: Bar, update: Message): void {
  if (update.type === 'job_started') {
    bar.show(0, 100, { before: 'started' });
    return;
  }
  const { stage, step, total_steps: total, percent, eta_s: eta } = update;
  const steps = stage === 'sampling' ? ` ${String(step)}/${String(total)}` : '';
  bar.show(Number(percent), 100, {
    before: `${String(stage).replaceAll('_', ' ')}${steps}`,
    behind: `${Number(percent).toFixed(0)} %, ${describeSeconds(Number(eta))} left`,
  });
}

function endingJson(id: string, { success, imagePath, outputs, error, seconds }: JobEnding) {
  return {
    job_id: id,
    success,
    duration_s: seconds,
    ...(imagePath !== undefined && { image_path: imagePath }),
    outputs,
    ...(error !== undefined && { error }),
  };
}

function refusal(reply: Message): string {
  const text = reply['error'] ?? reply['message'];
  return typeof text === 'string' ? text : reply.type;
}

async function firstModel(connection: Connection): Promise<string | undefined> {
  const reply = await connection.ask({ type: 'list_models' });
  const models = (reply['models'] ?? []) as readonly ModelEntry[];
  const names = models.filter(({ model_type: kind }) => kind === 'checkpoint').map(({ name }) => name);
  return names.find((name) => name !== STARTER.checkpoint) ?? names[0];
}

function requestOf(options: SubmitFlags, workflow: string | undefined) {
  const optional = {
    negative_prompt: options.negative ?? options.negativePrompt,
    lora: options.lora,
    lora_strength: readNumber('--lora-strength', options.loraStrength),
    seed: options.seed === undefined ? undefined : parseSeed(options.seed),
    sampler_name: options.sampler,
    scheduler: options.scheduler,
    denoise: readNumber('--denoise', options.denoise),
    batch_size: readNumber('--batch', options.batch),
    animation_frames: readNumber('--frames', options.frames),
    tileset_grid: options.tiles === undefined ? undefined : readPair('--tiles', options.tiles),
    workflow,
    front: options.front,
  };
  return {
    type: 'generate',
    id: options.id ?? randomUUID(),
    prompt: options.prompt,
    model: options.checkpoint ?? options.model,
    size: options.size === undefined ? undefined : readPair('--size', options.size),
    steps: readNumber('--steps', options.steps),
    cfg_scale: readNumber('--cfg', options.cfg),
    ...optional,
  };
}

/** A file, or standard input; anything else is the name of one of the daemon's templates. */
function isFile(named: string | undefined): boolean {
  return (
    named !== undefined &&
    (named === '-' || named.includes('/') || named.endsWith('.json') || isMediaName(named))
  );
}

/**
 * A file goes as a whole, as JSON text, which keeps all that it says. The daemon, which knows its node packs, reads the editor's
 * form, unless something is to be set in it here.
 */
async function readWorkflow(named: string, options: SubmitFlags): Promise<string> {
  if (!isFile(named)) return named;
  try {
    const text = named === '-' ? workflowText(await readAll(process.stdin)) : workflowFileText(named);
    const workflow = await read(text, options);
    return workflow === undefined ? text : workflowJson(workflow);
  } catch (error) {
    if (error instanceof WorkflowError) throw new UsageError(`${named}: ${error.message}`);
    if (error instanceof UsageError) throw error;
    throw new UsageError(`${named} can't be read: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** With what is filled in and set in it here; undefined for the editor's form in which nothing is. */
async function read(text: string, options: SubmitFlags): Promise<Workflow | undefined> {
  let workflow: Workflow;
  try {
    workflow = parseWorkflow(text);
  } catch (error) {
    if (!(error instanceof WorkflowError) || error.report.error.type !== 'editor_format') throw error;
    if (options.set === undefined) return undefined;
    const { readEditorText } = await import('../read-editor-text.js');
    workflow = readEditorText(text);
  }
  // As `latentd run` fills it; a prompt that is given is the daemon's to put in its place.
  if (options.prompt === undefined) workflow = fillIn(workflow, {});
  for (const assignment of options.set ?? []) workflow = applySet(workflow, assignment);
  return workflow;
}
