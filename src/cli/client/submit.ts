import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { parse } from 'node:path';
import { STARTER } from '../../models/starter.js';
import type { Message } from '../../fronts/dgx-pixels/wire/client.js';
import type { ModelEntry } from '../../fronts/dgx-pixels/wire/protocol.js';
import { WorkflowError } from '../../workflow/faults.js';
import { workflowText } from '../../workflow/file-text.js';
import { isLiteralObject, type Literal } from '../../workflow/literal.js';
import { parseWorkflow } from '../../workflow/parse.js';
import { EXIT, UsageError } from '../exit-codes.js';
import { parseSeed } from '../overrides.js';
import type { SubmitFlags } from './submit-flags.js';
import { print, report, reportLines } from '../terminal.js';
import { messageJson, withDaemon, type Connection } from './connection.js';
import { describeSeconds, describeUpdate } from './describe.js';
import { Follower, type JobEnding } from './follow.js';

/** Submits a job and, with `--wait`, waits for its end; returns the exit code. Throws `UsageError`. */
export function submit(options: SubmitFlags): Promise<number> {
  const request = requestOf(options);
  return withDaemon(options, async (connection) => {
    const model = options.model ?? (options.workflow === undefined ? await firstModel(connection) : '');
    if (model === undefined) {
      report('latentd: the daemon has no checkpoints; put one into its models/checkpoints');
      return EXIT.failed;
    }
    const message = { ...request, ...suitedTo(model, request), model };
    return options.wait === true
      ? submitAndWait(connection, message, options)
      : submitAlone(connection, message, options);
  });
}

type GenerateMessage = ReturnType<typeof requestOf> & ReturnType<typeof suitedTo>;

async function submitAlone(
  connection: Connection,
  request: GenerateMessage,
  { json }: SubmitFlags,
): Promise<number> {
  const reply = await connection.ask(request);
  if (json === true) print(messageJson(reply));
  else if (reply.type === 'job_accepted') {
    print(request.id);
    report(`done in about ${describeSeconds(Number(reply['estimated_time_s']))}`);
  } else reportLines(`latentd: ${refusal(reply)}`);
  return reply.type === 'job_accepted' ? EXIT.done : EXIT.failed;
}

async function submitAndWait(
  connection: Connection,
  request: GenerateMessage,
  { json }: SubmitFlags,
): Promise<number> {
  const follower = new Follower(connection, (update) => {
    if (json !== true && process.stderr.isTTY) report(describeUpdate(update));
  });
  await follower.ready();
  const reply = await connection.ask(request);
  if (reply.type !== 'job_accepted') {
    follower.close();
    reportLines(`latentd: ${refusal(reply)}`);
    return EXIT.failed;
  }
  const ending = await follower.follow(request.id);
  if (ending === undefined) throw new Error(`the daemon lost job ${request.id}`);
  if (json === true) print(messageJson(endingJson(request.id, ending)));
  else if (ending.success) print(ending.imagePath ?? '');
  else reportLines(`latentd: ${ending.error ?? 'failed'}`);
  return ending.success ? EXIT.done : EXIT.failed;
}

function endingJson(id: string, { success, imagePath, error, seconds }: JobEnding) {
  return {
    job_id: id,
    success,
    duration_s: seconds,
    ...(imagePath !== undefined && { image_path: imagePath }),
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

/** Size and guidance, as they were given or as they suit the model. */
function suitedTo(model: string, { size, cfg_scale: given }: ReturnType<typeof requestOf>) {
  const { side, cfg } =
    parse(model).name === parse(STARTER.checkpoint).name ? STARTER : { side: 1024, cfg: 7 };
  return { size: size ?? ([side, side] as const), cfg_scale: given ?? cfg };
}

function requestOf(options: SubmitFlags) {
  const optional = {
    negative_prompt: options.negativePrompt,
    lora: options.lora,
    lora_strength: readNumber('--lora-strength', options.loraStrength),
    seed: options.seed === undefined ? undefined : parseSeed(options.seed),
    sampler_name: options.sampler,
    scheduler: options.scheduler,
    denoise: readNumber('--denoise', options.denoise),
    batch_size: readNumber('--batch', options.batch),
    animation_frames: readNumber('--frames', options.frames),
    tileset_grid: options.tiles === undefined ? undefined : readPair('--tiles', options.tiles),
    workflow: options.workflow === undefined ? undefined : readWorkflow(options.workflow),
  };
  return {
    type: 'generate',
    id: options.id ?? randomUUID(),
    prompt: options.prompt,
    size: options.size === undefined ? undefined : readPair('--size', options.size),
    steps: readNumber('--steps', options.steps),
    cfg_scale: readNumber('--cfg', options.cfg),
    ...optional,
  };
}

function readNumber(flag: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const number = Number(text);
  if (text.trim() !== '' && Number.isFinite(number)) return number;
  throw new UsageError(`${flag} must be a number, not ${JSON.stringify(text)}`);
}

function readPair(flag: string, text: string): [number, number] {
  const match = /^(\d+)[x×](\d+)$/.exec(text);
  if (match !== null) return [Number(match[1]), Number(match[2])];
  throw new UsageError(`${flag} must be like 512x768, not ${JSON.stringify(text)}`);
}

/** A file goes as a whole; anything else is the name of one of the daemon's templates. */
function readWorkflow(named: string): unknown {
  if (!named.includes('/') && !named.endsWith('.json')) return named;
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(named);
  } catch (error) {
    throw new UsageError(`--workflow: ${error instanceof Error ? error.message : String(error)}`);
  }
  try {
    return Object.fromEntries(
      [...parseWorkflow(workflowText(bytes)).nodes].map(([id, { source }]) => [id, plain(source)]),
    );
  } catch (error) {
    if (error instanceof WorkflowError) throw new UsageError(`--workflow ${named}: ${error.message}`);
    throw error;
  }
}

/** As MessagePack writes it. */
function plain(value: Literal): unknown {
  if (Array.isArray(value)) return (value as readonly Literal[]).map(plain);
  if (!isLiteralObject(value)) return value;
  return Object.fromEntries([...value].map(([key, item]) => [key, plain(item)]));
}
