/**
 * Documents with several runs: a comparison of targets, or a tour. Values computed from the runs are not
 * stored.
 */
import { z } from 'zod'
import { RunResult } from '../../model/result.ts'

export const DOCUMENT_VERSION = 1

const common = {
  version: z.literal(DOCUMENT_VERSION),
  tool: z.strictObject({ version: z.string(), commit: z.string().nullable() }),
  startedAt: z.iso.datetime(),
  /** All options by name, defaults included. */
  arguments: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])),
  /** Ended early by the user. */
  interrupted: z.boolean(),
}

/** The runs of one target in order; the n-th runs of two sides are a pair. */
export const Side = z.strictObject({ label: z.string(), results: z.array(RunResult) })
export type Side = z.infer<typeof Side>

export const Comparison = z.strictObject({
  document: z.literal('comparison'),
  ...common,
  /** A, B … in the order of their turns. All others are compared with the first. */
  sides: z.array(Side).min(2),
  /** Runs that are not comparable (another dialect): separate rows, never part of a ratio. */
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
