/**
 * Makes the browser wait with the first picture for the page's script: it says whether the page is light or dark, which
 * nothing inline may say under the page's policy. Browsers that don't know the attribute may show the other for a moment.
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
