/**
 * Sizes of tests. `npm test` runs each test at a size that takes seconds; `npm run test:long`, the project `long`, runs the
 * same tests at the size that takes minutes.
 */
const isLong = process.env['TEST_LONG'] === '1'

export const sized = (usual: number, long: number): number => (isLong ? long : usual)
