/**
 * The command line: which commands there are and how an end becomes an exit code. Each command's work is in a file of
 * its own, loaded when it is called.
 */
import { Command, CommanderError } from 'commander'
import { ConfigError } from '../config/problem.ts'
import { ExitError, exitCodes } from '../ops/exit-codes.ts'
import { version } from '../ops/version.ts'
import { addSettingFlags, type CommandLine, type Options } from './command-line.ts'
import { helpAfter } from './help.ts'

/** Runs what the arguments ask for. @returns the exit code */
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
  // Commander has already written what it has to say.
  if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.ok.code : exitCodes.usage.code
  if (error instanceof ConfigError) return told(error, exitCodes.configuration.code)
  if (error instanceof ExitError) return told(error, error.exitCode)
  throw error
}

function told(error: Error, exitCode: number): number {
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
    .showHelpAfterError('(rookery --help shows what there is)')
    .addHelpText('after', helpAfter())
  addStart(program, line, ends)
  addConfig(program, line)
  addToken(program, line)
  addStatus(program, line)
  addReload(program, line)
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

function addConfig(program: Command, line: CommandLine): void {
  const config = program.command('config').description('check or print the settings')
  const check = config
    .command('check')
    .description('tell every problem of the settings; exit code 3 if there is one')
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
    .option('--name <name>', 'the name that others see; without it the id')
    .option('--expires <time>', 'how long it is good for: 90s, 15m, 1h, 7d …', '1h')
  addSettingFlags(token, ['jwtSecret', 'jwtIssuer', 'jwtAudience']).action(async (options: Options) => {
    const { makeToken } = await import('./token.ts')
    await makeToken(line, options)
  })
}

function addStatus(program: Command, line: CommandLine): void {
  const status = program
    .command('status')
    .description('ask the admin listener of a running Rookery how it is')
    .option('--json', 'as JSON')
  addSettingFlags(status, ['adminHost', 'adminPort']).action(async (options: Options) => {
    const { showStatus } = await import('./status.ts')
    await showStatus(line, options)
  })
}

function addReload(program: Command, line: CommandLine): void {
  const reload = program
    .command('reload')
    .description('replace the workers of the Rookery that runs on DATA_DIR, one by one, losing nothing')
  addSettingFlags(reload, ['dataDir']).action(async (options: Options) => {
    const { reload: run } = await import('./reload.ts')
    run(line, options)
  })
}

function addLog(program: Command, line: CommandLine): void {
  const log = program
    .command('log')
    .description(
      'take the rooms, their messages and what users have read out of a log, and put them into another',
    )
  const where = ' the log in Redis when REDIS_URL is set, else that of DATA_DIR'
  const out = log
    .command('export')
    .description(`write${where}, whether its host runs or not`)
    .option('--out <file>', 'file to write; without it the standard output')
    .option('--json', 'the numbers at the end as JSON')
  addSettingFlags(out).action(async (options: Options) => {
    const { exportToFile } = await import('./log.ts')
    await exportToFile(line, options)
  })
  const into = log
    .command('import')
    .description(`read into${where}, on which no host may run then; rooms with messages are left as they are`)
    .argument('<file>', 'file that was exported; - for the standard input')
    .option('--json', 'the numbers at the end as JSON')
  addSettingFlags(into).action(async (file: string, options: Options) => {
    const { importFromFile } = await import('./log.ts')
    await importFromFile(line, options, file)
  })
}
