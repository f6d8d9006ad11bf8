/** Put before a program: a Ctrl-C on the terminal, which is meant for the one that measures, does not reach it. */
export const OWN_SESSION = ['setsid'] as const

/** Also, Linux kills it when the process that has started it ends, however that ends; its workers leave when their primary is gone. */
export const EXIT_WITH_PARENT = [...OWN_SESSION, 'setpriv', '--pdeathsig', 'KILL', '--'] as const
