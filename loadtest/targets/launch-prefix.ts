/** A command prefix: a Ctrl-C on the terminal, meant for the load test, does not reach the program. */
export const OWN_SESSION = ['setsid'] as const

/**
 * Also, Linux kills the program when its parent exits for any reason; its workers exit when their primary is
 * gone.
 */
export const EXIT_WITH_PARENT = [...OWN_SESSION, 'setpriv', '--pdeathsig', 'KILL', '--'] as const
