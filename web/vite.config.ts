import { defineConfig, type Plugin } from 'vite';

/** During development the API is that of a collector running beside Vite. */
const COLLECTOR = process.env.SIDELIGHT_URL ?? 'http://127.0.0.1:9191';

const COLOURS = '@kurkle/color';
const NO_COLOURS = '\0no-colours';

/**
 * Chart.js mixes colours only for what moves and for what lies under a pointer. Our charts do neither (no animation, no
 * events), so the 4 kB of its colour library are left out.
 */
const withoutColourLibrary: Plugin = {
  name: 'without-colour-library',
  enforce: 'pre',
  resolveId: (id) => (id === COLOURS ? NO_COLOURS : null),
  load: (id) => (id === NO_COLOURS ? 'export class Color { valid = false; }' : null),
};

export default defineConfig({
  root: import.meta.dirname,
  plugins: [withoutColourLibrary],
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  // No asset becomes a data: URL, and no script is added inline: the content security policy forbids both.
  build: {
    outDir: 'dist',
    emptyOutDir: true,
    assetsInlineLimit: 0,
    target: 'es2022',
    // One style sheet, and no helper that loads parts of it and of the code ahead.
    cssCodeSplit: false,
    modulePreload: false,
  },
  server: { proxy: { '/api': COLLECTOR, '/metrics': COLLECTOR, '/-': COLLECTOR } },
});
