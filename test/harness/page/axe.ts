/**
 * Runs axe-core in an isolated world of the page, so that it and the page's content security policy do not
 * affect each other.
 */
import { readFile } from 'node:fs/promises'
import type { AxeResults } from 'axe-core'
import type { Page } from 'playwright-core'

const SOURCE = new URL('../../../node_modules/axe-core/axe.min.js', import.meta.url)
const OPTIONS = { resultTypes: ['violations'] }

/** The serious and critical violations, one line for each rule and element. */
export async function seriousViolations(page: Page): Promise<string[]> {
  const session = await page.context().newCDPSession(page)
  const { frameTree } = await session.send('Page.getFrameTree')
  const { executionContextId: contextId } = await session.send('Page.createIsolatedWorld', {
    frameId: frameTree.frame.id,
    worldName: 'axe',
  })
  await session.send('Runtime.evaluate', { expression: await readFile(SOURCE, 'utf8'), contextId })
  const { result, exceptionDetails } = await session.send('Runtime.evaluate', {
    expression: `axe.run(document, ${JSON.stringify(OPTIONS)})`,
    contextId,
    awaitPromise: true,
    returnByValue: true,
  })
  await session.detach()
  if (exceptionDetails !== undefined) throw new Error(JSON.stringify(exceptionDetails))
  const { violations } = result.value as AxeResults
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .flatMap(({ id, help, nodes }) =>
      nodes.map((node) => `${id} (${help}): ${node.html.slice(0, 300)} ${node.failureSummary ?? ''}`),
    )
}
