import { svelte } from '@sveltejs/vite-plugin-svelte'
import fs from 'node:fs'
import path from 'node:path'
import type { Plugin } from 'vite'
import { defineConfig } from 'vitest/config'

/** Writes licences.txt: the terms of the packages of which something is in the pages. One without any ends the build. */
function licences(): Plugin {
  const legal = /^(un)?(licen[cs]e|copying|notice)([-._].*)?$/i
  return {
    name: 'licences',
    generateBundle(_, bundle) {
      const used = new Set<string>()
      for (const part of Object.values(bundle)) {
        for (const id of part.type === 'chunk' ? Object.keys(part.modules) : []) {
          // What a tool adds of its own stands under its name.
          const name = /^\0(vite|rolldown)\//.exec(id)?.[1] ?? /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(id)?.[1]
          if (name !== undefined) used.add(name)
        }
      }
      const all = [...used].sort().map((name) => {
        const dir = path.join(import.meta.dirname, 'node_modules', name)
        const { version } = JSON.parse(fs.readFileSync(path.join(dir, 'package.json'), 'utf8')) as { version: string }
        // What a tool holds itself is not in the pages.
        const read = (f: string): string => (fs.readFileSync(path.join(dir, f), 'utf8').split(/^#+ Licenses of bundled dependencies/m)[0] ?? '').trim() + '\n'
        const terms = fs.readdirSync(dir).filter((f) => legal.test(f)).sort().map(read)
        if (terms.length === 0) this.error(`${name} has no licence`)
        return `== ${name} ${version}\n\n${terms.join('\n')}`
      })
      this.emitFile({ type: 'asset', fileName: 'licences.txt', source: all.join('\n') })
    },
  }
}

export default defineConfig({
  plugins: [svelte(), licences()],
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
