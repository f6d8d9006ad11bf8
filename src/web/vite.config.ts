/**
 * Builds the page into `dist/web`: content hashes in the names, nothing inline (the content security policy
 * forbids it), and a compressed copy of each file.
 */
import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vite'
import { compress } from './build/compress.ts'
import { renderBlocking } from './build/render-blocking.ts'

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url))

export default defineConfig({
  root: here('.'),
  base: './',
  publicDir: false,
  logLevel: 'warn',
  // The virtual list needs React; preact/compat replaces it at a tenth of the size.
  resolve: {
    alias: {
      react: 'preact/compat',
      'react-dom': 'preact/compat',
      'react/jsx-runtime': 'preact/jsx-runtime',
    },
  },
  // One text to parse: a table as a module with a name for each entry is twice as large.
  json: { stringify: true, namedExports: false },
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  plugins: [renderBlocking(), compress()],
  build: {
    outDir: here('../../dist/web'),
    emptyOutDir: true,
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    target: 'es2022',
    // The virtual list has directives for React servers; slow plugins are not worth a warning.
    rolldownOptions: { checks: { moduleLevelDirective: false, pluginTimings: false } },
  },
})
