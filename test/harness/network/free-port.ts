/**
 * A port of 127.0.0.1 for servers that do not report the port that they chose, or that keep theirs over a
 * restart. The system never gives it to outgoing connections, so that no client has it when the server
 * starts.
 */
import { fixedPort } from '../../../loadtest/targets/fixed-port.ts'

export const freePort = (): Promise<number> => fixedPort('127.0.0.1')
