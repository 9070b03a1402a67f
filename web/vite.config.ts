import { defineConfig } from 'vite';

/** During development the API is that of a collector running beside Vite. */
const COLLECTOR = process.env.SIDELIGHT_URL ?? 'http://127.0.0.1:9191';

export default defineConfig({
  root: import.meta.dirname,
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  // No asset becomes a data: URL, and no script is added inline: the content security policy forbids both.
  build: {
    outDir: 'dist',
    emptyOutDir: true,
    assetsInlineLimit: 0,
    target: 'es2022',
    modulePreload: { polyfill: false },
  },
  server: { proxy: { '/api': COLLECTOR, '/metrics': COLLECTOR, '/-': COLLECTOR } },
});
