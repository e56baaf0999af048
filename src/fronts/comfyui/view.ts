/** `/view`: files as they are, streamed from disk, or a picture's preview or channels. */
import { basename, dirname } from 'node:path';
import type { FastifyInstance, FastifyReply } from 'fastify';
import { loadSharp } from '../../imaging/load-sharp.js';
import type { HttpHouse } from '../http/room.js';
import { mustBeDownloaded, safeContentType } from './content-types.js';
import { storedUrl } from './stored-output.js';
import { annotatedName, existingIn, isFolderType, leavesFolder } from './named-files.js';

/** A picture that is decoded to be shown: no more pixels than a node would take. */
const MAX_PIXELS = 2 ** 28;

type Query = Readonly<Record<string, string | undefined>>;

export function viewRoute(app: FastifyInstance, house: HttpHouse): void {
  const { premises } = house;
  app.get('/view', async (request, reply) => {
    const query = request.query as Query;
    const asked = query['filename'];
    if (asked === undefined) return reply.code(404).send();
    const { name, type = query['type'] ?? 'output' } = annotatedName(asked);
    if (name === '' || name.startsWith('/') || name.includes('..') || !isFolderType(type)) {
      return reply.code(400).send();
    }
    const subfolder = query['subfolder'] ?? '';
    if (leavesFolder(subfolder)) return reply.code(403).send();
    const file = await existingIn(premises().folders[type], subfolder, basename(name));
    if (file === undefined) {
      const url = type === 'output' ? await storedUrl(house, subfolder, basename(name)) : undefined;
      return url === undefined ? reply.code(404).send() : reply.redirect(url);
    }
    const { preview, channel = '' } = query;
    const shown = basename(name);
    if (preview !== undefined) return sendPicture(reply, shown, previewOf(file, preview, channel));
    if (channel === 'rgb') return sendPicture(reply, shown, { format: 'png', bytes: colours(file) });
    if (channel === 'a') return sendPicture(reply, shown, { format: 'png', bytes: alpha(file) });
    return sendFile(reply, file, shown);
  });
}

/** With ranges and an ETag. */
export function sendFile(reply: FastifyReply, file: string, name = basename(file)): FastifyReply {
  const quoted = name
    .replaceAll('\\', '\\\\')
    .replaceAll('"', '\\"')
    .replaceAll(/[^\x20-\x7e]/g, '_');
  const attachment = mustBeDownloaded(name) ? 'attachment; ' : '';
  return reply
    .type(safeContentType(name))
    .header('content-disposition', `${attachment}filename="${quoted}"`)
    .header('x-content-type-options', 'nosniff')
    .sendFile(basename(file), dirname(file), { contentType: false, dotfiles: 'allow' });
}

interface Converted {
  readonly format: 'png' | 'webp' | 'jpeg';
  readonly bytes: Promise<Buffer>;
}

async function sendPicture(
  reply: FastifyReply,
  name: string,
  { format, bytes }: Converted,
): Promise<FastifyReply> {
  let picture: Buffer;
  try {
    picture = await bytes;
  } catch {
    // No picture, or a broken one.
    return reply.code(404).send();
  }
  return reply
    .type(`image/${format}`)
    .header('content-disposition', `filename="${name.replaceAll(/["\\]|[^\x20-\x7e]/g, '_')}"`)
    .send(picture);
}

/** `webp;90`, `jpeg` */
function previewOf(file: string, preview: string, channel: string): Converted {
  const parts = preview.split(';');
  const format = parts[0] === 'jpeg' && !channel.includes('a') ? 'jpeg' : 'webp';
  const given = Number(/^\d{1,3}$/.exec(parts.at(-1) ?? '')?.[0] ?? 90);
  const quality = Math.min(100, Math.max(1, given));
  return { format, bytes: converted(file, format, quality, channel === 'rgb') };
}

async function converted(
  file: string,
  format: 'webp' | 'jpeg',
  quality: number,
  isOpaque: boolean,
): Promise<Buffer> {
  const picture = await open(file);
  const shown = format === 'jpeg' || isOpaque ? picture.removeAlpha() : picture;
  return shown.toFormat(format, { quality }).toBuffer();
}

async function colours(file: string): Promise<Buffer> {
  return (await open(file)).removeAlpha().toColourspace('srgb').png().toBuffer();
}

/** Black, as transparent as the picture is (server.py, view_image). */
async function alpha(file: string): Promise<Buffer> {
  const sharp = await loadSharp();
  const { data, info } = await (
    await open(file)
  )
    .ensureAlpha()
    .extractChannel('alpha')
    .raw()
    .toBuffer({ resolveWithObject: true });
  const { width, height } = info;
  return sharp({ create: { width, height, channels: 3, background: 'black' } })
    .joinChannel(data, { raw: { width, height, channels: 1 } })
    .png()
    .toBuffer();
}

async function open(file: string) {
  const sharp = await loadSharp();
  return sharp(file, { limitInputPixels: MAX_PIXELS });
}
