/** What other folders may use of presence. */
export { PresenceNotifier } from './notifier.ts'
