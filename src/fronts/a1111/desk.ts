/** Runs A1111's requests as jobs and waits for their pictures. */
import { randomUUID } from 'node:crypto';
import { readFile, rename, writeFile } from 'node:fs/promises';
import type { Series } from '../../engine-process/task.js';
import { SERIES_INDEX } from '../../engine-process/task.js';
import { isPng, withTexts } from '../../imaging/png.js';
import type { JobLoad, JobOutcome } from '../../jobs/job.js';
import { Refusal } from '../../jobs/queue.js';
import type { SavedFile } from '../../nodes/results.js';
import { describeReport } from '../../workflow/faults.js';
import { submitAndFollow } from '../follow-job.js';
import type { FrontOptions } from '../front.js';
import { controlUnits, type KeptUnit } from './controlnet.js';
import type { Drawing } from './drawing.js';
import { HttpFault } from './fault.js';
import { decodeImage, keepImage, seriesName } from './given-images.js';
import { requireModel } from './house.js';
import { img2img, type GivenImages } from './img2img.js';
import type { OptionsFile } from './options-file.js';
import { withOptions, type KnownOptions } from './options.js';
import { ProgressBoard } from './progress.js';
import { infoOf, infotextsOf } from './reply.js';
import type { DrawRequest, Img2ImgRequest, Txt2ImgRequest } from './request.js';
import { txt2img, type DrawPlace } from './txt2img.js';

export interface DrawnPictures {
  /** Base64. */
  readonly images: readonly string[];
  readonly info: string;
}

export interface PictureJob {
  readonly kind: string;
  readonly workflow: string;
  readonly series: Series | undefined;
  readonly load: JobLoad;
  readonly samplings: number;
}

/** Of a file that a node saved, and which. */
export interface SavedPicture {
  readonly node: string | undefined;
  readonly file: SavedFile;
}

export class Desk {
  readonly board = new ProgressBoard();

  constructor(
    private readonly house: FrontOptions,
    readonly options: OptionsFile,
  ) {}

  async txt2img(request: Txt2ImgRequest): Promise<DrawnPictures> {
    return this.draw('txt2img', request, txt2img(request, await this.place(request, undefined)));
  }

  async img2img(request: Img2ImgRequest): Promise<DrawnPictures> {
    const pictures = (request.init_images ?? []).map(decodeImage);
    if (pictures.length === 0) throw new HttpFault(404, 'Init image not found');
    const place = await this.place(request, request.init_images?.[0]);
    const given = await this.keepGiven(pictures, request.mask);
    return this.draw('img2img', request, img2img(request, given, place));
  }

  /** The checkpoint of requests that name none; null where there is none at all. */
  async currentCheckpoint(): Promise<string | null> {
    const { sd_model_checkpoint: set } = this.options.known;
    if (set !== null && set !== '') return set;
    const { defaultModel } = this.house.premises();
    return defaultModel ?? (await this.house.checker.chooseCheckpoint()) ?? null;
  }

  /** Keeps a picture of a request where workflows find it. */
  async keep(encoded: string): Promise<string> {
    return keepImage(this.house.premises().folders.temp, decodeImage(encoded));
  }

  /** Runs a job and gives what it saved, in order. Throws `HttpFault` for what can't run and for what failed. */
  async run({ kind, workflow, series, load, samplings }: PictureJob): Promise<readonly SavedPicture[]> {
    const { jobs, checker } = this.house;
    const report = await checker.check(workflow.replaceAll(SERIES_INDEX, '0'));
    if (report !== undefined) throw new HttpFault(422, describeReport(report));
    const id = randomUUID();
    const job = {
      id,
      client: { front: 'a1111' },
      priority: 0,
      task: { workflow, needsPicture: true, ...(series !== undefined && { series }) },
      load,
      metadata: { kind },
    };
    const followed = await submitAndFollow(jobs, job, this.board.follow(id, kind, samplings)).catch(
      (cause: unknown) => {
        throw cause instanceof Refusal ? new HttpFault(cause.status, cause.message) : cause;
      },
    );
    return picturesOf(await followed.over);
  }

  /** Stops what runs for these clients; what is drawn already is sent. */
  async interrupt(): Promise<void> {
    const id = this.board.current;
    if (id === undefined) return;
    this.board.interrupt();
    await this.house.jobs.cancel(id);
  }

  private async draw(kind: string, request: DrawRequest, drawing: Drawing): Promise<DrawnPictures> {
    const { workflow, series, load, passes, seeds } = drawing;
    const saved = await this.run({ kind, workflow, series, load, samplings: passes * seeds.length });
    const infotexts = infotextsOf(request, drawing);
    const writes = drawing.options.enable_pnginfo;
    const images = await Promise.all(
      saved.map(({ file }, index) => this.pictureOf(file, writes ? infotexts[index] : undefined)),
    );
    const sent = request.send_images === false ? [] : images.map((bytes) => bytes.toString('base64'));
    return { images: sent, info: infoOf(request, drawing, infotexts) };
  }

  /** A picture with its infotext, which is kept in the output folder, too. */
  private async pictureOf(file: SavedFile, infotext: string | undefined): Promise<Buffer> {
    const bytes = await readFile(file.path);
    if (infotext === undefined || !isPng(bytes)) return bytes;
    const told = withTexts(bytes, { parameters: infotext });
    if (file.type === 'output') {
      const partial = `${file.path}.${randomUUID()}`;
      await writeFile(partial, told);
      await rename(partial, file.path);
    }
    return told;
  }

  /** `picture` is what ControlNet's units without one look at. */
  private async place(request: DrawRequest, picture: string | undefined): Promise<DrawPlace> {
    const options = withOptions(this.options.known, request.override_settings ?? {});
    const { folders } = this.house.premises();
    const controls: KeptUnit[] = [];
    for (const { picture: own = picture, ...unit } of controlUnits(request.alwayson_scripts, folders)) {
      if (own === undefined) throw new HttpFault(422, 'a ControlNet unit needs an image');
      controls.push({ ...unit, image: await this.keep(own) });
    }
    const checkpoint = await this.checkpoint(options);
    return { listing: folders, options, checkpoint, controls, random: Math.random };
  }

  private async checkpoint({ sd_model_checkpoint: name }: KnownOptions): Promise<string> {
    const { folders, defaultModel } = this.house.premises();
    if (name !== null && name !== '') return requireModel(folders, 'checkpoints', name, 'Model');
    const chosen = defaultModel ?? (await this.house.checker.chooseCheckpoint());
    if (chosen === undefined)
      throw new HttpFault(404, 'Model not found: there is no checkpoint in the models folder');
    return chosen;
  }

  private async keepGiven(pictures: readonly Buffer[], mask: string | null): Promise<GivenImages> {
    const { temp } = this.house.premises().folders;
    const masks = mask === null || mask === '' ? undefined : await this.keep(mask);
    if (pictures.length === 1) return { images: [await keepImage(temp, pictures[0]!)], mask: masks };
    const name = randomUUID();
    for (const [index, bytes] of pictures.entries()) await keepImage(temp, bytes, { name, index });
    return { images: pictures.map(() => seriesName(name, SERIES_INDEX)), mask: masks };
  }
}

function picturesOf({ state, error, outputs }: JobOutcome): readonly SavedPicture[] {
  if (state === 'failed') throw new HttpFault(500, error ?? 'the job failed');
  return outputs.flatMap(({ node, ui }) => (ui.images ?? []).map((file) => ({ node, file })));
}
