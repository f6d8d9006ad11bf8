/** What other folders may use of the admin listener. */
export { openAdmin } from './admin.ts'
