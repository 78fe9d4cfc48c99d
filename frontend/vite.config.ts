import { svelte } from '@sveltejs/vite-plugin-svelte'
import { defineConfig } from 'vitest/config'

export default defineConfig({
  plugins: [svelte()],
  // The catalogues of text lie beside the Go code that embeds them.
  server: { fs: { allow: ['..'] } },
  resolve: process.env['VITEST'] ? { conditions: ['browser'] } : {},
  build: {
    target: ['safari16', 'chrome111'],
    // Everything is a file of its own: the pages allow no inline data but pictures.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  test: {
    environment: 'happy-dom',
    include: ['src/**/*.test.ts'],
    // One worker for all: what a file needs is made anew by its tests.
    pool: 'threads',
    maxWorkers: 1,
    isolate: false,
    setupFiles: ['src/lib/ui/setup.test-helper.ts'],
  },
})
