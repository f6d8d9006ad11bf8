/** Writes a result as JSON and as a page into its own directory, each file atomically. */
import { mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { join, relative, resolve } from 'node:path'
import { isComparison, isTour, parseReport, type ReportDocument, UnreadableReport } from './document.ts'
import { reportPage } from './page/page.ts'

export const RESULTS_DIRECTORY = 'loadtest-results'
const JSON_NAME = 'result.json'
const PAGE_NAME = 'report.html'

/** Most directories with the same second and name. */
const MAX_SAME_NAMES = 100
const MAX_NAME_LENGTH = 60

export interface Destination {
  /** Default: a new one in `loadtest-results` in `cwd`. Existing files of the same name are replaced. */
  directory?: string
  cwd: string
}

export interface ReportPaths {
  json: string
  page: string
}

/** @returns paths relative to `cwd` @throws NotComparable before anything is written */
export async function writeReport(
  document: ReportDocument,
  { directory, cwd }: Destination,
): Promise<ReportPaths> {
  const page = await reportPage(document)
  const target = directory === undefined ? await ownDirectory(document, cwd) : resolve(cwd, directory)
  await mkdir(target, { recursive: true })
  const paths = { json: join(target, JSON_NAME), page: join(target, PAGE_NAME) }
  await writeWhole(paths.json, `${JSON.stringify(document)}\n`)
  await writeWhole(paths.page, page)
  return { json: relative(cwd, paths.json), page: relative(cwd, paths.page) }
}

/** Writes the page of a stored document. @param path of the page */
export async function writePage(document: ReportDocument, path: string): Promise<void> {
  await writeWhole(path, await reportPage(document))
}

/** @param path of the JSON, or of its directory @throws UnreadableReport */
export async function readReport(path: string): Promise<ReportDocument> {
  const file = (await isDirectory(path)) ? join(path, JSON_NAME) : path
  try {
    return parseReport(await readFile(file, 'utf8'), file)
  } catch (error) {
    if (error instanceof UnreadableReport) throw error
    throw new UnreadableReport(`${file} cannot be read`, { cause: error })
  }
}

async function isDirectory(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory()
  } catch (cause) {
    throw new UnreadableReport(`there is no ${path}`, { cause })
  }
}

async function ownDirectory(document: ReportDocument, cwd: string): Promise<string> {
  const parent = join(cwd, RESULTS_DIRECTORY)
  await mkdir(parent, { recursive: true })
  const name = `${document.startedAt.slice(0, 19).replaceAll(':', '')}-${nameOf(document)}`
  for (let turn = 1; turn <= MAX_SAME_NAMES; turn += 1) {
    const directory = join(parent, turn === 1 ? name : `${name}-${turn}`)
    if (await makeNew(directory)) return directory
  }
  throw new Error(`${parent} is full of directories called ${name}`)
}

/** @returns false if it exists */
async function makeNew(directory: string): Promise<boolean> {
  try {
    await mkdir(directory)
    return true
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false
    throw error
  }
}

function nameOf(document: ReportDocument): string {
  if (isTour(document)) return 'tour'
  if (!isComparison(document)) return fileName(`${document.scenario.name}-${document.target.name}`)
  const scenario = document.sides.flatMap(({ results }) => results)[0]?.scenario.name ?? 'nothing'
  return fileName([scenario, ...document.sides.map(({ label }) => label)].join('-'))
}

function fileName(words: string): string {
  const safe = words.toLowerCase().replace(/[^a-z0-9]+/g, '-')
  return safe.slice(0, MAX_NAME_LENGTH).replace(/^-+|-+$/g, '')
}

async function writeWhole(path: string, text: string): Promise<void> {
  const unfinished = `${path}.${process.pid}.part`
  try {
    await writeFile(unfinished, text)
    await rename(unfinished, path)
  } catch (error) {
    await rm(unfinished, { force: true })
    throw error
  }
}
