/** `rookery reload`: tells the Rookery that runs on a data directory to replace its workers. */
import { ExitError } from '../ops/exit-codes.ts'
import { runningPid } from '../ops/pid-file.ts'
import { type CommandLine, loadFrom, type Options } from './command-line.ts'
import { permitted } from './own-host.ts'

export function reload(line: CommandLine, options: Options): void {
  const { dataDir } = loadFrom(line, options).config
  const pid = permitted(dataDir, () => runningPid(dataDir))
  if (pid === undefined) throw new ExitError('notRunning', `no Rookery runs on DATA_DIR ${dataDir}`)
  permitted(dataDir, () => process.kill(pid, 'SIGHUP'))
  process.stdout.write(`told process ${pid} to replace its workers; its log shows the progress\n`)
}
