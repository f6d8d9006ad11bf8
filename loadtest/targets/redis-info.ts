/** Redis' own figures, from the text of its INFO. */
import type { RedisFigures } from '../model/target.ts'

/** @throws if one is missing */
export function redisFiguresFrom(info: string): RedisFigures {
  return {
    bytesIn: figureIn(info, 'total_net_input_bytes'),
    bytesOut: figureIn(info, 'total_net_output_bytes'),
    commands: figureIn(info, 'total_commands_processed'),
    connections: figureIn(info, 'connected_clients'),
  }
}

function figureIn(info: string, name: string): number {
  const [, digits] = new RegExp(`^${name}:(\\d+)\\r?$`, 'm').exec(info) ?? []
  if (digits === undefined) throw new Error(`Redis' INFO has no ${name}`)
  return Number(digits)
}
