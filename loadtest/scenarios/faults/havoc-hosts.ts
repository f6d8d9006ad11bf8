import type { Scenario } from '../../model/scenario.ts'
import { faultsOf, HOST_FAULTS, REDIS_FAULTS } from '../random-faults.ts'
import { HAVOC_COMMON, HAVOC_DEFAULTS, havocPlan } from './havoc.ts'

export const havocHosts: Scenario = {
  ...HAVOC_COMMON,
  name: 'havoc-hosts',
  title: 'The same with several hosts: faults also hit Redis and each host’s connection to it',
  defaults: { ...HAVOC_DEFAULTS, clients: 100, ratePerSec: 150 },
  needs: faultsOf([...HOST_FAULTS, ...REDIS_FAULTS]),
  minHosts: 2,
  regressionSeeds: [7, 8, 10, 12, 13, 14, 15],
  plan: (settings) => havocPlan(settings, [...HOST_FAULTS, ...REDIS_FAULTS]),
}
