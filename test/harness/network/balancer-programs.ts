/**
 * How each balancer of Debian is started on loopback with a file of `deploy/`: its command, and what the package's own
 * main configuration would add. No package starts an instance here, and no two instances may share files.
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'

export interface Place {
  /** For this instance alone. */
  directory: string
  /** The balancer's configuration. */
  file: string
  port: number
}

export interface Program {
  command: string
  args(place: Place): string[]
  env?(place: Place): Record<string, string>
  /** Arguments of a process that takes over from another; without them SIGHUP reloads the configuration. */
  successor?(place: Place, pid: number): string[]
}

const APACHE_MODULES = [
  'authz_core',
  'mpm_event',
  'proxy',
  'proxy_http',
  'slotmem_shm',
  'proxy_balancer',
  'lbmethod_byrequests',
  'headers',
]

function apacheMain({ directory, file, port }: Place): string {
  const modules = APACHE_MODULES.map(
    (name) => `LoadModule ${name}_module /usr/lib/apache2/modules/mod_${name}.so`,
  )
  return [
    ...modules,
    'User www-data',
    'Group www-data',
    'ServerName localhost',
    `Listen 127.0.0.1:${port}`,
    `DefaultRuntimeDir ${directory}`,
    `PidFile ${join(directory, 'pid')}`,
    `ErrorLog ${join(directory, 'log')}`,
    `Include ${file}`,
    '',
  ].join('\n')
}

const nginx: Program = {
  command: 'nginx',
  args: ({ directory, file }) => {
    const overall = `daemon off; pid ${join(directory, 'pid')};`
    return ['-p', directory, '-e', 'stderr', '-c', file, '-g', overall]
  },
}

const haproxy: Program = {
  command: 'haproxy',
  args: ({ file }) => ['-db', '-f', file],
  successor: ({ file }, pid) => ['-db', '-f', file, '-sf', String(pid)],
}

export const programs = {
  'nginx.conf': nginx,
  'nginx-sticky.conf': nginx,
  'nginx-stream.conf': nginx,
  'haproxy.cfg': haproxy,
  'haproxy-sticky.cfg': haproxy,
  'haproxy-proxy.cfg': haproxy,
  'haproxy-tcp.cfg': haproxy,
  'apache.conf': {
    command: 'apache2',
    args: (place) => {
      const main = join(place.directory, 'apache2.conf')
      writeFileSync(main, apacheMain(place))
      return ['-D', 'FOREGROUND', '-d', place.directory, '-f', main]
    },
  },
  Caddyfile: {
    command: 'caddy',
    args: ({ file }) => ['run', '--config', file, '--adapter', 'caddyfile'],
    env: ({ directory }) => ({ HOME: directory }),
  },
  'lighttpd.conf': { command: 'lighttpd', args: ({ file }) => ['-D', '-f', file] },
  'varnish.vcl': {
    command: 'varnishd',
    args: ({ directory, file, port }) => {
      const place = ['-a', `127.0.0.1:${port}`, '-f', file, '-n', join(directory, 'work')]
      return ['-F', '-j', 'none', ...place, '-s', 'malloc,16m', '-p', 'pipe_timeout=75s']
    },
  },
  'squid.conf': { command: 'squid', args: ({ file }) => ['-N', '-d', '1', '-f', file] },
} satisfies Record<string, Program>

export type BalancerFile = keyof typeof programs

/** The shipped configuration with these hosts, on this port of loopback; without the hosts that the test does not have. */
export function withHosts(
  text: string,
  { directory, port }: Place,
  hosts: readonly (number | string)[],
): string {
  const address = `127.0.0.1:${port}`
  return text
    .replace(/^(\s*listen) 80\b/m, `$1 ${address}`)
    .replace(/^(\s*bind) :80\b/m, `$1 ${address}`)
    .replace('<VirtualHost *:80>', `<VirtualHost ${address}>`)
    .replace('http://:80 {', `{\n\tadmin off\n}\nhttp://:${port} {\n\tbind 127.0.0.1`)
    .replace('server.port = 80', `server.port = ${port}\nserver.bind = "127.0.0.1"`)
    .replace('http_port 80 ', `pid_filename none\ncache_log ${join(directory, 'log')}\nhttp_port ${address} `)
    .split('\n')
    .flatMap((line) => withHost(line, hosts))
    .join('\n')
}

function withHost(line: string, hosts: readonly (number | string)[]): string[] {
  const number = /\brookery[-_]([0-9])\b/.exec(line)?.[1]
  if (number === undefined) return [line]
  const host = hosts[Number(number) - 1]
  if (host === undefined) return []
  const address = typeof host === 'number' ? `127.0.0.1:${host}` : host
  if (/\brookery-[0-9]:3000/.test(line)) return [line.replace(/\brookery-[0-9]:3000/, address)]
  const [name = '', port = ''] = address.split(':')
  return [line.replace(/\brookery-[0-9]\b/, name).replace(/\b3000\b/, port)]
}
