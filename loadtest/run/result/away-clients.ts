/** Per host: clients that were away at least once after they had joined, for any reason. Pure. */
import type { DeliveryRecords } from '../../model/delivery-records.ts'
import type { WantedClient } from '../../model/plan.ts'

export function awayOf({ parts }: DeliveryRecords, clients: readonly Pick<WantedClient, 'host'>[]): number[] {
  const away = new Set<number>()
  for (const { members } of parts)
    for (const { client, absences } of members) if (absences.length > 0) away.add(client)
  const hosts = clients.reduce((most, { host }) => Math.max(most, host + 1), 0)
  const counts = Array.from({ length: hosts }, () => 0)
  for (const index of away) {
    const host = clients[index]?.host ?? 0
    counts[host] = (counts[host] ?? 0) + 1
  }
  return counts
}
