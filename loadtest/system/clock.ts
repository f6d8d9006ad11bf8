/**
 * The clock of a run: milliseconds since boot, with fractions. All processes of a machine share
 * CLOCK_MONOTONIC, so their times can be compared.
 */
export type Clock = () => number

export const nowMs: Clock = () => Number(process.hrtime.bigint()) / 1e6
