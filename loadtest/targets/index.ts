/** All targets. */
import type { Target } from '../model/target.ts'
import { documentedTargets } from './documented-setups.ts'
import { rookery } from './rookery.ts'
import { url } from './url.ts'

export const targets: readonly Target[] = [rookery, ...documentedTargets, url]
