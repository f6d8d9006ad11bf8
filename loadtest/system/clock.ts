/**
 * The clock of a run: milliseconds since the machine's start, with fractions. CLOCK_MONOTONIC is one for all processes of a machine,
 * so that what one process writes down can be held against what another does.
 */
export type Clock = () => number

export const nowMs: Clock = () => Number(process.hrtime.bigint()) / 1e6
