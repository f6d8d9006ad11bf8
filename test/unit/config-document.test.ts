import { expect, it } from 'vitest'
import { settingsDocument } from '../../src/config/settings-text.ts'

// `npm run docs` writes the page anew.
it('docs/settings.md says what the schema says', async () => {
  await expect(settingsDocument()).toMatchFileSnapshot('../../docs/settings.md')
})
