/** Texts: joined, cut, searched, replaced, filled in, saved. */
export * from './strings.js';
export * from './regex.js';
export * from './data.js';
export * from './save-text.js';
export * from './datasets.js';
