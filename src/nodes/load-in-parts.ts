/**
 * Loads every node class, one part after the other. Node opens all the modules that one `import` leads to before it reads the
 * first: hundreds of files at once, more than a small limit of open files has. No part here opens a hundred.
 */
await import('zod');
await import('../compute/graph.js');
await import('../imaging/pictures/decode.js');
await import('../models/families/sd1.js');
await import('../models/families/flux.js');
await import('../models/families/recognise.js');
await import('../models/open-models.js');
await import('./loaders/index.js');
await import('./conditioning/index.js');
await import('./latent/index.js');
await import('./sampling/index.js');
await import('./model/index.js');
await import('./image/index.js');
await import('./video/index.js');
await import('./preprocessors/index.js');
await import('./packs/impact/index.js');
await import('./packs/index.js');
await import('./index.js');
