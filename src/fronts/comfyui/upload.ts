/** `/upload/image` and `/upload/mask`: files into the input folder, or another that they name. */
import { createWriteStream } from 'node:fs';
import { constants, copyFile, link, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, extname, join, normalize } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { MultipartFile } from '@fastify/multipart';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { makeFolder } from '../../make-folder.js';
import { formParts } from '../http/form-parts.js';
import type { HttpHouse } from '../http/room.js';
import { maskedPicture } from './masked-picture.js';
import { annotatedName, existingIn, isFolderType, leavesFolder, placeIn } from './named-files.js';
import { BadRequest, isObject, readJson } from './request-body.js';

interface Upload {
  readonly fields: Readonly<Record<string, string>>;
  /** What the client calls its file. */
  readonly name: string;
  /** Where it is for now. */
  readonly path: string;
}

type Folders = ReturnType<HttpHouse['premises']>['folders'];

export function uploadRoutes(app: FastifyInstance, { premises }: HttpHouse): void {
  app.post('/upload/image', (request) => {
    const { folders } = premises();
    return receive(request, folders.input, (upload) => put(upload, folders));
  });
  app.post('/upload/mask', (request) => {
    const { folders } = premises();
    return receive(request, folders.input, async (upload) => {
      await writeFile(upload.path, await maskedPicture(await originalOf(upload, folders), upload.path));
      return put(upload, folders);
    });
  });
}

/** Takes a form's file into a folder beside where most go, for as long as it is used. */
async function receive<Result>(
  request: FastifyRequest,
  beside: string,
  use: (upload: Upload) => Promise<Result>,
): Promise<Result> {
  if (!request.isMultipart()) throw new BadRequest('expected a form (multipart/form-data) with an image');
  makeFolder(beside);
  const folder = await mkdtemp(join(beside, '.latentd-upload-'));
  try {
    const path = join(folder, 'upload');
    const fields: Record<string, string> = {};
    let name: string | undefined;
    // As in ComfyUI, a name may have folders in it.
    for await (const part of formParts(request, { preservePath: true })) {
      if (part.type === 'field') {
        if (typeof part.value === 'string') fields[part.fieldname] = part.value;
      } else if (part.fieldname === 'image' && name === undefined) {
        name = part.filename;
        await store(part, path);
      } else {
        part.file.resume();
      }
    }
    if (name === undefined || name === '') throw new BadRequest('the form has no file called image');
    return await use({ fields, name, path });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function store({ file }: MultipartFile, path: string): Promise<void> {
  await pipeline(file, createWriteStream(path));
  if (file.truncated)
    throw new BadRequest('the file is larger than this server takes; see --max-upload', 'too_large');
}

/** Moves an upload to its place; a file of that name stays, unless it is to be overwritten or is the same. */
async function put({ fields, name, path }: Upload, folders: Folders) {
  const { type = 'input', subfolder = '', overwrite = '' } = fields;
  if (!isFolderType(type))
    throw new BadRequest(`type must be input, output or temp, not ${JSON.stringify(type)}`);
  const place = placeIn(folders[type], normalize(subfolder), name);
  if (leavesFolder(subfolder) || place === undefined) {
    throw new BadRequest(`the file must lie within the ${type} folder`);
  }
  makeFolder(dirname(place));
  if (overwrite === 'true' || overwrite === '1') {
    await moveOver(path, place);
    return { name, subfolder, type };
  }
  const extension = extname(name);
  const stem = name.slice(0, name.length - extension.length);
  for (let count = 0; ; count++) {
    const candidate = count === 0 ? name : `${stem} (${count})${extension}`;
    const target = join(dirname(place), basename(candidate));
    if ((await putNew(path, target)) || (await isSame(path, target)))
      return { name: candidate, subfolder, type };
  }
}

async function moveOver(from: string, to: string): Promise<void> {
  try {
    await rename(from, to);
  } catch (error) {
    if (!isCode(error, 'EXDEV')) throw error;
    await copyFile(from, to);
  }
}

/** False where there is a file already. */
async function putNew(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to);
    return true;
  } catch (error) {
    if (isCode(error, 'EEXIST')) return false;
  }
  // Not all file systems have links, and none has them to another.
  try {
    await copyFile(from, to, constants.COPYFILE_EXCL);
    return true;
  } catch (error) {
    if (isCode(error, 'EEXIST')) return false;
    throw error;
  }
}

async function isSame(one: string, other: string): Promise<boolean> {
  const [a, b] = await Promise.all([readFile(one), readFile(other)]);
  return a.equals(b);
}

/** The picture that a mask is for. */
async function originalOf({ fields }: Upload, folders: Folders): Promise<string> {
  // `comfy-ui-client` spells it its own way.
  const reference = readJson(fields['original_ref'] ?? fields['originalRef'] ?? '{}');
  const { filename, subfolder = '', type: given = 'output' } = isObject(reference) ? reference : {};
  if (typeof filename !== 'string' || typeof subfolder !== 'string') {
    throw new BadRequest('original_ref must name a picture: {"filename": …, "subfolder": …, "type": …}');
  }
  const { name, type = given } = annotatedName(filename);
  const file = isFolderType(type) ? await existingIn(folders[type], subfolder, name) : undefined;
  if (file === undefined) throw new BadRequest('there is no such picture as original_ref names');
  return file;
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
