/** The exit codes of `rookery`. docs/operations.md and `--help` show this table. */
export const exitCodes = {
  ok: { code: 0, meaning: 'done, or stopped as asked' },
  unexpected: { code: 1, meaning: 'an error that has no code of its own; the log has it' },
  usage: { code: 2, meaning: 'unknown command or flag, or a missing argument' },
  configuration: { code: 3, meaning: 'settings that are not allowed' },
  portInUse: { code: 4, meaning: "PORT or ADMIN_PORT can't be listened on" },
  crashLoop: { code: 5, meaning: 'workers die again and again as they start' },
  dataDirectory: { code: 6, meaning: "DATA_DIR can't be used, or another Rookery uses it" },
  stopDeadline: { code: 7, meaning: 'stopped, but STOP_DEADLINE_MS passed before all was done' },
  notRunning: { code: 8, meaning: 'no running Rookery answered (status, reload, emit)' },
  workersSocket: { code: 9, meaning: 'no socket can be made, neither in DATA_DIR nor in TMPDIR' },
  notPermitted: { code: 10, meaning: 'the Rookery belongs to another user (reload, wait, emit)' },
  redisUnfit: {
    code: 11,
    meaning:
      "Redis answers and can't be used: too old, of another kind, or the user may not do what is needed",
  },
  badExport: { code: 12, meaning: 'the file is not an exported log, or was cut off (log import)' },
  roomsLeftOut: { code: 13, meaning: 'rooms that have entries already were left as they are (log import)' },
  unreadableEntries: {
    code: 14,
    meaning: 'stored messages are damaged, or no secret verifies them (log export, log sign)',
  },
  notReady: { code: 15, meaning: 'it was not ready in time (wait)' },
  reloadFailed: {
    code: 16,
    meaning: 'the new workers do not start, or not in time; the others go on (reload)',
  },
  emitRefused: { code: 17, meaning: 'the running Rookery refused the event (emit)' },
} as const

export type ExitReason = keyof typeof exitCodes

/** An expected end of the process, with its exit code and a message for people. */
export class ExitError extends Error {
  readonly reason: ExitReason

  constructor(reason: ExitReason, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'ExitError'
    this.reason = reason
  }

  get exitCode(): number {
    return exitCodes[this.reason].code
  }
}

/** @param address the address with the names of its settings */
export function cannotListen(address: string, cause: unknown): ExitError {
  return new ExitError('portInUse', `${address} can't be listened on: ${reasonOf(cause)}`, { cause })
}

/** @param path of a Unix socket of the host */
export function noSocket(path: string, cause: unknown): ExitError {
  const message = `no socket can be made in DATA_DIR, nor at ${path} (TMPDIR says where): ${reasonOf(cause)}`
  return new ExitError('workersSocket', message, { cause })
}

function reasonOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause)
}
