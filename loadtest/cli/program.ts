/** Defines commands and flags, and maps outcomes to exit codes. Each command has a file of its own. */
import { Command, CommanderError, Option } from 'commander'
import { EXIT_CODES, Interrupted, UsageError } from '../run/exit-codes.ts'
import { requirePackages } from '../system/optional-packages.ts'
import { PACKAGE_ROOT, readPackage } from '../system/package-root.ts'
import type { Flags } from './flags.ts'
import { helpAfter } from './help.ts'

type Ends = (exitCode: number) => void

/** @returns the exit code */
export async function runCli(args: readonly string[]): Promise<number> {
  let exitCode: number = EXIT_CODES.passed.code
  try {
    await program((code) => (exitCode = code)).parseAsync(args, { from: 'user' })
    return exitCode
  } catch (error) {
    return exitCodeOf(error)
  }
}

function exitCodeOf(error: unknown): number {
  // Commander has already printed its message.
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : EXIT_CODES.usage.code
  if (error instanceof UsageError) return fail(error.message, EXIT_CODES.usage.code)
  if (error instanceof Interrupted) return fail(error.message, EXIT_CODES.interrupted.code)
  return fail(error instanceof Error ? error.message : String(error), EXIT_CODES.invalid.code)
}

function fail(message: string, exitCode: number): number {
  process.stderr.write(`rookery-loadtest: ${message}\n`)
  return exitCode
}

function program(ends: Ends): Command {
  const main = new Command('rookery-loadtest')
    .description(
      'Load-tests a Socket.IO server with thousands of clients, open loop, and audits each client’s messages for loss, duplicates and order. Without arguments: a tour of two to three minutes.',
    )
    .version(readPackage(PACKAGE_ROOT)?.version ?? 'unknown', '-V, --version', 'print the version')
    .exitOverride()
    .showHelpAfterError('(see rookery-loadtest --help)')
    .addHelpText('after', helpAfter())
    .hook('preAction', () => requirePackages())
  addTour(main, ends)
  addRun(main, ends)
  addList(main)
  addCompare(main, ends)
  addReport(main)
  return main
}

function addTour(main: Command, ends: Ends): void {
  const tour = main
    .command('tour', { isDefault: true })
    .description('one host, then two with Redis, with a kill in each; the default command')
    .option('--short', 'the same in less than a minute, with fewer clients')
    .option('--seed <n>', 'repeat an earlier tour with its seed')
  addOutput(tour).action(async (flags: Flags) => {
    const { tour: run } = await import('./tour.ts')
    ends(await run(flags))
  })
}

function addRun(main: Command, ends: Ends): void {
  const run = main
    .command('run')
    .description('run one scenario against one target')
    .argument('<scenario>', 'a name from `list`')
    .option('--target <name>', 'what to run it against (see `list`; default: rookery)')
  addLoad(run)
    .option('--url <address>', 'your own server, once for each host; no other address is contacted', collect)
    .option(
      '--find-limit',
      'raise the rate until delivery p99 exceeds --p99 or a message is lost, then narrow it down',
    )
    .option('--p99 <ms>', 'limit for --find-limit, in milliseconds (default: 100)')
    .option('--seeds <list>', 'one run per seed: 1..20, or 3,17, or regression (seeds that found a defect)')
    .option('--api-key <key>', 'API key of the server at --url, for http-history and http-publish')
  addOutput(run).action(async (scenario: string, flags: Flags) => {
    const { run: work } = await import('./run.ts')
    ends(await work(scenario, flags))
  })
}

function addList(main: Command): void {
  main
    .command('list')
    .description('list all scenarios with what must hold, and all targets with their shapes')
    .option('--json', 'as JSON')
    .action(async (flags: Flags) => {
      const { list } = await import('./list.ts')
      list(flags)
    })
}

function addCompare(main: Command, ends: Ends): void {
  const compare = main
    .command('compare')
    .description('run a scenario against two targets in turn, A B A B …, and compare them')
    .argument('<scenario>')
    .requiredOption('--a <target>', 'the base of the comparison')
    .requiredOption('--b <target>', 'the target to compare with it')
    .option('--pairs <n>', 'runs of each', '3')
    .option(
      '--beside <target>',
      'also run it on this target with the chat and its log: a separate row, in no ratio',
    )
    .option('--a-env <NAME=value>', 'a setting of A’s servers only; may be repeated', collect)
    .option('--b-env <NAME=value>', 'a setting of B’s servers only; may be repeated', collect)
  addOutput(addLoad(compare)).action(async (scenario: string, flags: Flags) => {
    const { compare: work } = await import('./compare.ts')
    ends(await work(scenario, flags))
  })
}

function addReport(main: Command): void {
  main
    .command('report')
    .description('show earlier results again, and rebuild their page')
    .argument('<result.json...>', 'files that this tool wrote')
    .option('--out <file>', 'where to write the page; without it nothing is written')
    .action(async (files: string[], flags: Flags) => {
      const { report } = await import('./report.ts')
      await report(files, flags)
    })
}

function addLoad(command: Command): Command {
  return command
    .option('--hosts <n>', 'hosts of the target')
    .option('--workers <n>', 'workers per host')
    .option('--clients <n>', 'number of connections')
    .option('--rate <n>', 'messages per second over all clients (connect-storm: connects, http-…: requests)')
    .option('--duration <s>', 'duration of the load, in seconds')
    .option('--room-size <n>', 'members per room')
    .option('--text-length <n>', 'characters per message, 32 to 4000')
    .addOption(
      new Option('--kind <kind>', 'lean clients (raw) or socket.io-client (stock)').choices(['raw', 'stock']),
    )
    .addOption(
      new Option('--transport <name>', 'how clients connect').choices(['websocket', 'polling', 'upgrade']),
    )
    .addOption(new Option('--arrivals <how>', 'intervals between messages').choices(['even', 'poisson']))
    .option('--ramp <s>', 'time in which the rate rises from 0, in seconds (default: 0)')
    .addOption(
      new Option('--dialect <name>', 'how clients and server communicate').choices(['chat', 'bench', 'bare']),
    )
    .option('--seed <n>', 'repeat an earlier run with its seed')
    .option('--agents <n>', 'client processes (default: one per core)')
    .option('--env <NAME=value>', 'a setting of the servers; may be repeated', collect)
}

function addOutput(command: Command): Command {
  return command
    .option('--json', 'print the result as JSON, and nothing else, on standard output')
    .option('--out <dir>', 'directory for result and page (default: a new one in loadtest-results)')
    .option('--no-page', 'no HTML page')
}

function collect(value: string, before: string[] | undefined): string[] {
  return [...(before ?? []), value]
}
