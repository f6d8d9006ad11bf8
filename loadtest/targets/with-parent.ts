/**
 * Put before a program: Linux kills it when the process that started it ends, however that ends. Its workers leave by themselves
 * when their primary is gone.
 */
export const WITH_PARENT = ['setpriv', '--pdeathsig', 'KILL', '--'] as const
