/** Where annotators lie: by the names under which comfyui_controlnet_aux fetches them, in any folder and of any format. */
import { basename, extname } from 'node:path';
import type { Folders } from '../folders/folders.js';
import type { Annotator, AnnotatorKind } from './annotator.js';

interface Place {
  readonly folders: Folders;
  readonly models: { annotator(path: string, kind: AnnotatorKind): Annotator };
}

/** Throws `ModelError` naming the file that is missing and where it belongs. */
export function openAnnotator(place: Place, kind: AnnotatorKind, file: string): Annotator {
  return place.models.annotator(annotatorFile(place.folders, file), kind);
}

/**
 * The path of a listed file of this name, whatever folders it lies in; another format of weights serves as well, but for that of a model
 * of ONNX's, which has its own.
 */
export function annotatorFile(folders: Folders, file: string, only?: '.onnx'): string {
  const isOne = (name: string) => (extname(name).toLowerCase() === '.onnx') === (only === '.onnx');
  const names = folders.list('annotators').filter(isOne);
  const stem = (name: string) => basename(name, extname(name));
  const found =
    names.find((name) => basename(name) === file) ?? names.find((name) => stem(name) === stem(file));
  return folders.resolve('annotators', found ?? file);
}
