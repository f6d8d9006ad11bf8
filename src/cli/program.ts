/**
 * The command line: the commands, and the exit code for each error. The code of a command is in a file of its
 * own, loaded when the command is called.
 */
import { Command, CommanderError } from 'commander'
import { ConfigError } from '../config/problem.ts'
import { ExitError, exitCodes } from '../ops/exit-codes.ts'
import { version } from '../ops/version.ts'
import { addSettingFlags, type CommandLine, type Options } from './command-line.ts'
import type { EmitOptions } from './emit.ts'
import { helpAfter } from './help.ts'

/** Runs the command that the arguments name. @returns the exit code */
export async function runCli(line: CommandLine): Promise<number> {
  let exitCode: number = exitCodes.ok.code
  const program = createProgram(line, (code) => {
    exitCode = code
  })
  try {
    await program.parseAsync(line.args, { from: 'user' })
    return exitCode
  } catch (error) {
    return exitCodeOf(error)
  }
}

function exitCodeOf(error: unknown): number {
  // Commander has already written the message.
  if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.ok.code : exitCodes.usage.code
  if (error instanceof ConfigError) return reportError(error, exitCodes.configuration.code)
  if (error instanceof ExitError) return reportError(error, error.exitCode)
  throw error
}

function reportError(error: Error, exitCode: number): number {
  process.stderr.write(`rookery: ${error.message}\n`)
  return exitCode
}

function createProgram(line: CommandLine, ends: (exitCode: number) => void): Command {
  const program = new Command('rookery')
    .description(
      'Runs a Socket.IO application, or the chat that comes with it, on every core behind one port.',
    )
    .version(version(), '-V, --version', 'print the version')
    .exitOverride()
    .showHelpAfterError('(see rookery --help)')
    .addHelpText('after', helpAfter())
  addStart(program, line, ends)
  addDev(program, line, ends)
  addInit(program)
  addConfig(program, line)
  addToken(program, line)
  addStatus(program, line)
  addWait(program, line)
  addReload(program, line)
  addEmit(program, line)
  addLog(program, line)
  return program
}

function addStart(program: Command, line: CommandLine, ends: (exitCode: number) => void): void {
  const start = program
    .command('start')
    .description('run until stopped by SIGTERM or SIGINT; SIGHUP reloads the workers one by one')
  addSettingFlags(start).action(async (options: Options) => {
    const { start: run } = await import('./start.ts')
    ends(await run(line, options))
  })
}

function addDev(program: Command, line: CommandLine, ends: (exitCode: number) => void): void {
  const develop = program
    .command('dev')
    .description(
      'run an application while it is written (default: ./app.ts or ./app.js): one worker, which is replaced when a source file changes',
    )
    .option('--watch <paths>', 'further files and directories to watch, separated by commas')
  addSettingFlags(develop).action(async (options: Options) => {
    const { dev } = await import('./dev.ts')
    ends(await dev(line, options))
  })
}

function addInit(program: Command): void {
  program
    .command('init')
    .description('write a small application with a test; overwrites nothing')
    .argument('[directory]', 'where to', '.')
    .option('--js', 'JavaScript, also where Node.js runs TypeScript')
    .action(async (directory: string, options: Options) => {
      const { init } = await import('./init.ts')
      init(directory, options)
    })
}

function addConfig(program: Command, line: CommandLine): void {
  const config = program.command('config').description('check or print the settings')
  const check = config
    .command('check')
    .description('report all problems of the settings; exit code 3 if there is one')
  addSettingFlags(check).action(async (options: Options) => {
    const { checkConfig } = await import('./config.ts')
    checkConfig(line, options)
  })
  const print = config.command('print').description('print each setting with its value, unit and source')
  addSettingFlags(print.option('--json', 'as JSON')).action(async (options: Options) => {
    const { printConfig } = await import('./config.ts')
    printConfig(line, options)
  })
}

function addToken(program: Command, line: CommandLine): void {
  const token = program
    .command('token')
    .description('make a token for AUTH=jwt, signed with JWT_SECRET')
    .requiredOption('--sub <id>', "the user's id")
    .option('--name <name>', 'the name that others see (default: the id)')
    .option('--expires <time>', 'how long the token is valid: 90s, 15m, 1h, 7d …', '1h')
  addSettingFlags(token, ['jwtSecret', 'jwtIssuer', 'jwtAudience']).action(async (options: Options) => {
    const { makeToken } = await import('./token.ts')
    await makeToken(line, options)
  })
}

function addStatus(program: Command, line: CommandLine): void {
  const status = program
    .command('status')
    .description('show the status of a running Rookery, from its admin listener')
    .option('--json', 'as JSON')
  addSettingFlags(status, ['adminHost', 'adminPort']).action(async (options: Options) => {
    const { showStatus } = await import('./status.ts')
    await showStatus(line, options)
  })
}

function addWait(program: Command, line: CommandLine): void {
  const wait = program
    .command('wait')
    .description('wait for the Rookery that runs on DATA_DIR; exit code 15 when the time is over')
    .requiredOption('--ready', 'until it accepts connections: GET /readyz on HOST and PORT')
    .option('--timeout <time>', 'how long at most: 500ms, 90s, 5m …', '60s')
    .option('--other-than <pid>', 'only a process other than this one, which is being replaced')
    .option('--json', 'as JSON')
  addSettingFlags(wait, ['host', 'port', 'dataDir']).action(async (options: Options) => {
    const { waitUntilReady } = await import('./wait.ts')
    await waitUntilReady(line, options)
  })
}

function addReload(program: Command, line: CommandLine): void {
  const reload = program
    .command('reload')
    .description(
      'replace the workers of the Rookery that runs on DATA_DIR, one by one, without losing anything; wait until all run the new code',
    )
    .option('--no-wait', 'only ask for it')
    .option('--timeout <time>', 'how long to wait at most: 90s, 10m …', '10m')
    .option('--json', 'the result as JSON')
  addSettingFlags(reload, ['dataDir']).action(async (options: Options) => {
    const { reload: run } = await import('./reload.ts')
    await run(line, options)
  })
}

const several = (value: string, before: readonly string[]) => [...before, value]

function addEmit(program: Command, line: CommandLine): void {
  const emit = program
    .command('emit')
    .description('emit an event to clients of the whole cluster, through the Rookery that runs on DATA_DIR')
    .argument('<event>', 'name of the event')
    .argument('[json...]', `its arguments, each as JSON: 1 '"text"' '{"a":1}'`)
    .option('--namespace <name>', 'namespace of Socket.IO', '/')
    .option('--room <name>', 'only to this room; may be given several times', several, [])
    .option('--except <name>', 'not to this room; may be given several times', several, [])
    .option('--volatile', 'may be lost where a client is not ready')
    .option('--url <url>', 'admin listener of another Rookery: http://10.0.0.5:9464')
    .option('--json', 'the result as JSON')
  addSettingFlags(emit, ['dataDir']).action(
    async (event: string, args: readonly string[], options: EmitOptions) => {
      const { emit: run } = await import('./emit.ts')
      await run(line, { event, args }, options)
    },
  )
}

function addLog(program: Command, line: CommandLine): void {
  const log = program
    .command('log')
    .description(
      'export the rooms, their messages and read markers from a log, import them into another, sign them anew',
    )
  const where = ' the log in Redis if REDIS_URL is set, else the log in DATA_DIR'
  const out = log
    .command('export')
    .description(`export${where}; its host may run`)
    .option('--out <file>', 'file to write (default: standard output)')
    .option('--allow-unreadable', 'export placeholders for entries that are damaged or not verified')
    .option('--json', 'print the counts at the end as JSON')
  addSettingFlags(out).action(async (options: Options) => {
    const { exportToFile } = await import('./log.ts')
    await exportToFile(line, options)
  })
  const into = log
    .command('import')
    .description(`import into${where}; no host may run on it; rooms with messages are skipped`)
    .argument('<file>', 'exported file; - for standard input')
    .option('--json', 'print the counts at the end as JSON')
  addSettingFlags(into).action(async (file: string, options: Options) => {
    const { importFromFile } = await import('./log.ts')
    await importFromFile(line, options, file)
  })
  const sign = log
    .command('sign')
    .description('sign the messages in Redis with CLUSTER_SECRET, after it was changed; hosts may run')
    .option('--unsigned', 'sign messages without a signature too: after the first secret was set')
    .option('--json', 'print the counts at the end as JSON')
  addSettingFlags(sign).action(async (options: Options) => {
    const { signStored } = await import('./log-sign.ts')
    await signStored(line, options)
  })
}
