/**
 * Builds the page into `dist/web`: names with content hashes, nothing inline (the page's policy forbids it), each file
 * also compressed.
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
  // The virtual list is written for React; preact/compat is the same to it in a tenth of the size.
  resolve: {
    alias: {
      react: 'preact/compat',
      'react-dom': 'preact/compat',
      'react/jsx-runtime': 'preact/jsx-runtime',
    },
  },
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  plugins: [renderBlocking(), compress()],
  build: {
    outDir: here('../../dist/web'),
    emptyOutDir: true,
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    target: 'es2022',
    // The virtual list speaks to React's servers, of which there are none here; how long plugins take is no warning.
    rolldownOptions: { checks: { moduleLevelDirective: false, pluginTimings: false } },
  },
})
