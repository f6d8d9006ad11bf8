/** The table of all targets. */
import type { Target } from '../target.ts'
import { rookery } from './rookery.ts'
import { documentedTargets } from './set-ups.ts'
import { url } from './url.ts'

export const targets: readonly Target[] = [rookery, ...documentedTargets, url]
