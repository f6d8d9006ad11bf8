import { expect, it } from 'vitest'
import { settingsDocument } from '../../src/config/settings-text.ts'

// `npm run docs` regenerates the page.
it('docs/settings.md matches the schema', async () => {
  await expect(settingsDocument()).toMatchFileSnapshot('../../docs/settings.md')
})
