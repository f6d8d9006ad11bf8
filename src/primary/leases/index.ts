/** What other folders may use of the leases. */
export { Leases } from './leases.ts'
