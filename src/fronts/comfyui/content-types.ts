/** Content types by the names of files, as Python's mimetypes guess them, and those that a browser would run. */
import { extname } from 'node:path';

const TYPES: Readonly<Record<string, string>> = {
  '.apng': 'image/apng',
  '.avif': 'image/avif',
  '.bmp': 'image/bmp',
  '.gif': 'image/gif',
  '.jpeg': 'image/jpeg',
  '.jpg': 'image/jpeg',
  '.png': 'image/png',
  '.tif': 'image/tiff',
  '.tiff': 'image/tiff',
  '.webp': 'image/webp',
  '.exr': 'image/x-exr',
  '.mkv': 'video/x-matroska',
  '.mov': 'video/quicktime',
  '.mp4': 'video/mp4',
  '.webm': 'video/webm',
  '.flac': 'audio/flac',
  '.mp3': 'audio/mpeg',
  '.ogg': 'audio/ogg',
  '.opus': 'audio/opus',
  '.wav': 'audio/wav',
  '.glb': 'model/gltf-binary',
  '.gltf': 'model/gltf+json',
  '.json': 'application/json',
  '.md': 'text/markdown',
  '.txt': 'text/plain',
};

export const BYTES = 'application/octet-stream';

/** Of a file that a client put here, or that a workflow wrote: never one that a page would run (ComfyUI, is_dangerous_content_type). */
export function safeContentType(name: string): string {
  return TYPES[extname(name).toLowerCase()] ?? BYTES;
}

/** Files that a browser would show, or run, as a page: they are downloaded instead. */
export function mustBeDownloaded(name: string): boolean {
  return /\.(?:html?|xhtml|xht|svgz?|xml|xsl|xslt|js|mjs|css|rss|atom|mht|mhtml|swf)$/i.test(name);
}
