/** `rookery reload`: tells the Rookery that runs on a data directory to replace its workers. */
import { ExitError } from '../ops/exit-codes.ts'
import { runningPid } from '../ops/pid-file.ts'
import { type CommandLine, loadFrom, type Options } from './command-line.ts'

export function reload(line: CommandLine, options: Options): void {
  const { dataDir } = loadFrom(line, options).config
  const pid = permitted(dataDir, () => runningPid(dataDir))
  if (pid === undefined) throw new ExitError('notRunning', `no Rookery runs on DATA_DIR ${dataDir}`)
  permitted(dataDir, () => process.kill(pid, 'SIGHUP'))
  process.stdout.write(`told process ${pid} to replace its workers; its log shows the progress\n`)
}

/** @throws ExitError `notPermitted` */
function permitted<T>(dataDir: string, act: () => T): T {
  try {
    return act()
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined
    if (code !== 'EPERM' && code !== 'EACCES') throw error
    const message = `the Rookery on DATA_DIR ${dataDir} belongs to another user: run this as that user, or as root`
    throw new ExitError('notPermitted', message, { cause: error })
  }
}
