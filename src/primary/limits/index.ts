/** What other folders may use of the limits per user. */
export { UserLimits } from './limits.ts'
