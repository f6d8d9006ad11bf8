/** Which commands and flags there are, and how an end becomes an exit code. Each command's work is in a file of its own. */
import { Command, CommanderError, Option } from 'commander'
import { EXIT_CODES, Interrupted, UsageError } from '../run/exit-codes.ts'
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
  // Commander has already written what it has to say.
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : EXIT_CODES.usage.code
  if (error instanceof UsageError) return told(error.message, EXIT_CODES.usage.code)
  if (error instanceof Interrupted) return told(error.message, EXIT_CODES.interrupted.code)
  return told(error instanceof Error ? error.message : String(error), EXIT_CODES.invalid.code)
}

function told(message: string, exitCode: number): number {
  process.stderr.write(`rookery-loadtest: ${message}\n`)
  return exitCode
}

function program(ends: Ends): Command {
  const main = new Command('rookery-loadtest')
    .description(
      'Drives thousands of clients at a Socket.IO server, open loop, and audits each client’s messages for loss, doubles and order. Without arguments: a tour of two to three minutes.',
    )
    .version(readPackage(PACKAGE_ROOT)?.version ?? 'unknown', '-V, --version', 'print the version')
    .exitOverride()
    .showHelpAfterError('(rookery-loadtest --help shows what there is)')
    .addHelpText('after', helpAfter())
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
    .description('one host, then two over Redis, with a kill in each; what runs without arguments')
    .option('--short', 'the same in less than a minute, with fewer clients')
    .option('--seed <n>', 'repeats the draws of an earlier tour')
  addOutput(tour).action(async (flags: Flags) => {
    const { tour: run } = await import('./tour.ts')
    ends(await run(flags))
  })
}

function addRun(main: Command, ends: Ends): void {
  const run = main
    .command('run')
    .description('run one scenario against one target')
    .argument('<scenario>', 'one of those that `list` shows')
    .option('--target <name>', 'what to run it against (see `list`)')
  addLoad(run)
    .option('--url <address>', 'a server of yours, once for each host; nothing else is sent to', collect)
    .option(
      '--find-limit',
      'raise the rate until delivery p99 exceeds --p99 or something is lost, then close in',
    )
    .option('--p99 <ms>', 'bound of --find-limit, milliseconds (default: 100)')
    .option(
      '--seeds <list>',
      'one seed after the other: 1..20, 3,17, or regression: those that found a defect',
    )
    .option('--api-key <key>', 'of the server at --url, for http-history and http-publish')
  addOutput(run).action(async (scenario: string, flags: Flags) => {
    const { run: work } = await import('./run.ts')
    ends(await work(scenario, flags))
  })
}

function addList(main: Command): void {
  main
    .command('list')
    .description('all scenarios with what must hold, and all targets with their shapes')
    .option('--json', 'as JSON')
    .action(async (flags: Flags) => {
      const { list } = await import('./list.ts')
      list(flags)
    })
}

function addCompare(main: Command, ends: Ends): void {
  const compare = main
    .command('compare')
    .description(
      'run a scenario against several targets in turn, A B A B …, and hold them against each other',
    )
    .argument('<scenario>')
    .requiredOption('--a <target>', 'what the other is held against')
    .requiredOption('--b <target>', 'the other')
    .option('--pairs <n>', 'runs of each', '3')
    .option(
      '--beside <target>',
      'run it on this one too with the chat and its log: a row of its own, in no ratio',
    )
    .option('--a-env <NAME=value>', 'a setting of A’s servers alone, any number of times', collect)
    .option('--b-env <NAME=value>', 'a setting of B’s servers alone', collect)
  addOutput(addLoad(compare)).action(async (scenario: string, flags: Flags) => {
    const { compare: work } = await import('./compare.ts')
    ends(await work(scenario, flags))
  })
}

function addReport(main: Command): void {
  main
    .command('report')
    .description('show what earlier runs gave, and make their page anew')
    .argument('<result.json...>', 'files that this tool wrote')
    .option('--out <file>', 'where the page goes; without it nothing is written')
    .action(async (files: string[], flags: Flags) => {
      const { report } = await import('./report.ts')
      await report(files, flags)
    })
}

function addLoad(command: Command): Command {
  return command
    .option('--hosts <n>', 'hosts of the target')
    .option('--workers <n>', 'workers of each host')
    .option('--clients <n>', 'connections, exactly')
    .option('--rate <n>', 'messages a second over all clients (connect-storm: connects, http-…: requests)')
    .option('--duration <s>', 'how long, in seconds')
    .option('--room-size <n>', 'members of a room')
    .option('--text-length <n>', 'characters of a message, 32 to 4000')
    .addOption(new Option('--kind <kind>', 'lean clients or socket.io-client').choices(['raw', 'stock']))
    .addOption(
      new Option('--transport <name>', 'how clients connect').choices(['websocket', 'polling', 'upgrade']),
    )
    .addOption(new Option('--arrivals <how>', 'distances between messages').choices(['even', 'poisson']))
    .option('--ramp <s>', 'in which the rate rises evenly from nothing (default: 0)')
    .addOption(
      new Option('--dialect <name>', 'how clients and server talk').choices(['chat', 'bench', 'bare']),
    )
    .option('--seed <n>', 'repeats the draws of an earlier run')
    .option('--agents <n>', 'client processes (default: one a core)')
    .option('--env <NAME=value>', 'a setting of the servers, any number of times', collect)
}

function addOutput(command: Command): Command {
  return command
    .option('--json', 'the result as JSON on standard output, and nothing else there')
    .option('--out <dir>', 'where result and page go (default: a directory of its own in loadtest-results)')
    .option('--no-page', 'no HTML page')
}

function collect(value: string, before: string[] | undefined): string[] {
  return [...(before ?? []), value]
}
