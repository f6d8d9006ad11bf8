/**
 * Delays the first paint until the page's script has run, because the script sets the colour scheme and the
 * content security policy forbids inline scripts. Browsers without `blocking="render"` may show the wrong
 * scheme for a moment.
 */
import type { Plugin } from 'vite'

export function renderBlocking(): Plugin {
  return {
    name: 'render-blocking',
    transformIndexHtml: {
      order: 'post',
      handler: (html) => html.replace('<script type="module"', '<script type="module" blocking="render"'),
    },
  }
}
