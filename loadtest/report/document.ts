/**
 * Reads the tool's JSON documents: a run, a comparison or a tour. Validates them, and refuses unknown ones.
 */
import { z } from 'zod'
import { RESULT_VERSION, RunResult } from '../model/result.ts'
import { Comparison, DOCUMENT_VERSION, Tour } from './compare/comparison.ts'
import { plain } from './format.ts'

export type ReportDocument = RunResult | Comparison | Tour

/** The file is not from this tool, or from another version of it; the message is for the user. */
export class UnreadableReport extends Error {
  override readonly name = 'UnreadableReport'
}

const MAX_ISSUES = 5

const Head = z.looseObject({ version: z.unknown(), document: z.string().optional() })

/** @param from file name for the message @throws UnreadableReport */
export function parseReport(json: string, from: string): ReportDocument {
  const value = jsonOf(json, from)
  const head = Head.safeParse(value)
  if (!head.success || !('version' in head.data)) {
    throw new UnreadableReport(`${from} is not a result of this tool: it has no version`)
  }
  const { document = 'run', version } = head.data
  const schema = schemas[document]
  if (schema === undefined)
    throw new UnreadableReport(`${from} has the unknown document type '${plain(document)}'`)
  if (version !== schema.version) {
    const known = `this tool reads version ${schema.version}`
    throw new UnreadableReport(
      `${from} is version ${plain(JSON.stringify(version))} of a ${document}: ${known}`,
    )
  }
  const parsed = schema.of.safeParse(value)
  if (parsed.success) return parsed.data
  throw new UnreadableReport(`${from} is not valid:\n${issuesOf(parsed.error)}`)
}

const schemas: Readonly<Record<string, { version: number; of: z.ZodType<ReportDocument> }>> = {
  run: { version: RESULT_VERSION, of: RunResult },
  comparison: { version: DOCUMENT_VERSION, of: Comparison },
  tour: { version: DOCUMENT_VERSION, of: Tour },
}

function jsonOf(json: string, from: string): unknown {
  try {
    return JSON.parse(json)
  } catch (cause) {
    throw new UnreadableReport(`${from} is not JSON`, { cause })
  }
}

function issuesOf(error: z.ZodError): string {
  const lines = error.issues.map(({ path, message }) => `  ${plain(path.join('.'))}: ${plain(message)}`)
  const more = lines.length - MAX_ISSUES
  return [...lines.slice(0, MAX_ISSUES), ...(more > 0 ? [`  and ${more} more`] : [])].join('\n')
}

export const isComparison = (document: ReportDocument): document is Comparison =>
  'document' in document && document.document === 'comparison'
export const isTour = (document: ReportDocument): document is Tour =>
  'document' in document && document.document === 'tour'

/** All its runs, each with the label of its side. */
export function runsOf(document: ReportDocument): { label: string; result: RunResult }[] {
  if (isTour(document)) return document.results.map((result) => ({ label: result.target.name, result }))
  if (!isComparison(document)) return [{ label: document.target.name, result: document }]
  return inTurn(document)
}

/** A B A B …, as they ran, then the additional runs. */
function inTurn({ sides, beside }: Comparison): { label: string; result: RunResult }[] {
  const rounds = Math.max(...sides.map(({ results }) => results.length))
  const turns = Array.from({ length: rounds }, (_, round) =>
    sides.flatMap(({ label, results }) => {
      const result = results[round]
      return result === undefined ? [] : [{ label, result }]
    }),
  )
  return [
    ...turns.flat(),
    ...beside.flatMap(({ label, results }) => results.map((result) => ({ label, result }))),
  ]
}
