/** Several runs kept as one document: a comparison of targets in turn, or a tour. What is computed of them is not kept. */
import { z } from 'zod'
import { RunResult } from '../../model/result.ts'

export const DOCUMENT_VERSION = 1

const common = {
  version: z.literal(DOCUMENT_VERSION),
  tool: z.strictObject({ version: z.string(), commit: z.string().nullable() }),
  startedAt: z.iso.datetime(),
  /** All that was asked for, by name, defaults included. */
  arguments: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])),
  /** Ended before its time, by a person. */
  interrupted: z.boolean(),
}

/** The runs of one target in their order; the first of one side and the first of another are a pair, and so on. */
export const Side = z.strictObject({ label: z.string(), results: z.array(RunResult) })
export type Side = z.infer<typeof Side>

export const Comparison = z.strictObject({
  document: z.literal('comparison'),
  ...common,
  /** A, B … in the order of their turns. All others are held against the first. */
  sides: z.array(Side).min(2),
  /** Runs that are not the same thing (another dialect): rows of their own, never part of a ratio. */
  beside: z.array(Side),
})
export type Comparison = z.infer<typeof Comparison>

export const Tour = z.strictObject({
  document: z.literal('tour'),
  ...common,
  title: z.string(),
  results: z.array(RunResult).min(1),
})
export type Tour = z.infer<typeof Tour>
