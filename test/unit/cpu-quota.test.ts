import { describe, expect, it } from 'vitest'
import { cpuQuota } from '../../src/config/cpu-quota.ts'
import { defaultWorkers, originOfWorkers } from '../../src/config/default-workers.ts'

const MOUNTS = {
  v2: '29 23 0:26 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate',
  v1: '33 31 0:30 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct',
}

function quotaIn(files: Record<string, string>) {
  return cpuQuota((path) => files[path])
}

describe('the CPU quota', () => {
  it.each([
    [
      'of a container with a view of its own (version 2)',
      {
        '/proc/self/cgroup': '0::/\n',
        '/proc/self/mountinfo': MOUNTS.v2,
        '/sys/fs/cgroup/cpu.max': '150000 100000\n',
      },
      { cores: 1.5, file: '/sys/fs/cgroup/cpu.max' },
    ],
    [
      'of the strictest level (version 2)',
      {
        '/proc/self/cgroup': '0::/system.slice/rookery.service\n',
        '/proc/self/mountinfo': MOUNTS.v2,
        '/sys/fs/cgroup/system.slice/rookery.service/cpu.max': 'max 100000\n',
        '/sys/fs/cgroup/system.slice/cpu.max': '200000 100000\n',
      },
      { cores: 2, file: '/sys/fs/cgroup/system.slice/cpu.max' },
    ],
    [
      'of a container that sees the names of the machine (version 1)',
      {
        '/proc/self/cgroup': '5:memory:/docker/abc\n4:cpu,cpuacct:/docker/abc/inner\n0::/docker/abc\n',
        '/proc/self/mountinfo': `${MOUNTS.v1.replace('0:30 / ', '0:30 /docker/abc ')}\n30 23 0:27 / /tmp rw - tmpfs tmpfs rw`,
        '/sys/fs/cgroup/cpu,cpuacct/inner/cpu.cfs_quota_us': '-1\n',
        '/sys/fs/cgroup/cpu,cpuacct/inner/cpu.cfs_period_us': '100000\n',
        '/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us': '50000\n',
        '/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us': '100000\n',
      },
      { cores: 0.5, file: '/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us' },
    ],
    [
      'where both versions are mounted',
      {
        '/proc/self/cgroup': '1:cpu:/a\n0::/a\n',
        '/proc/self/mountinfo': `${MOUNTS.v1}\n29 23 0:26 / /sys/fs/cgroup/un\\040ified rw - cgroup2 none rw`,
        '/sys/fs/cgroup/un ified/a/cpu.max': '300000 100000\n',
      },
      { cores: 3, file: '/sys/fs/cgroup/un ified/a/cpu.max' },
    ],
  ])('%s', (_, files: Record<string, string>, expected) => {
    expect(quotaIn(files)).toEqual(expected)
  })

  it.each([
    ['there are no control groups', {}],
    ['nothing limits it', { '/proc/self/cgroup': '0::/\n', '/proc/self/mountinfo': MOUNTS.v2 }],
    [
      'the file holds something else',
      {
        '/proc/self/cgroup': '0::/\n1:cpu:/\n',
        '/proc/self/mountinfo': `${MOUNTS.v2}\n${MOUNTS.v1}`,
        '/sys/fs/cgroup/cpu.max': '0 100000',
        '/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us': 'x',
      },
    ],
  ])('is none when %s', (_, files: Record<string, string>) => {
    expect(quotaIn(files)).toBeUndefined()
  })
})

it.each([
  [8, undefined, 8, '8 available cores, no CPU quota'],
  [8, 2.5, 2, '8 available cores, a CPU quota of 2.5 in f'],
  [8, 0.1, 1, '8 available cores, a CPU quota of 0.1 in f'],
  [1, 4, 1, '1 available core, a CPU quota of 4 in f'],
])('%d cores and a quota of %s: %d workers', (cores, quotaCores, workers, origin) => {
  const quota = quotaCores === undefined ? undefined : { cores: quotaCores, file: 'f' }
  expect(defaultWorkers({ cores, quota })).toBe(workers)
  expect(originOfWorkers({ cores, quota })).toBe(origin)
})
