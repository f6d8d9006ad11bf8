/** The temporary DATA_DIR of a test's cluster. */
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'

const PREFIX = 'rookery-test-'

export const createDataDir = (): Promise<string> => mkdtemp(join(tmpdir(), PREFIX))

/** Whether it may be deleted. */
export const isTemporary = (dataDir: string): boolean => basename(dataDir).startsWith(PREFIX)
