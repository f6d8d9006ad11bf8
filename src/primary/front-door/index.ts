/** What other folders may use of the front door. */
export { createFrontDoor } from './create-front-door.ts'
export type { FrontDoor } from './front-door.ts'
export type { HandOffTarget } from './hand-off.ts'
