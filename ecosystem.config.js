/**
 * For pm2: `pm2 start ecosystem.config.js`, reload with `pm2 sendSignal SIGHUP rookery`.
 * Settings come from the environment of the pm2 command and from the file that ROOKERY_CONFIG names.
 * New settings: `pm2 startOrRestart ecosystem.config.js`. pm2 reports success whether or not the application came
 * up, so wait for it: `node dist/main.js wait --ready`.
 *
 * Several machines: `pm2 deploy ecosystem.config.js production`, with DEPLOY_HOSTS, DEPLOY_REPO … in the environment
 * (docs/deploy.md). It updates one machine after another, and continues only when the machine before is ready again.
 */
import { join } from 'node:path'
import { loadConfig } from './dist/config/load.js'
import { settingKeys } from './dist/config/schema.js'
import { environmentName } from './dist/config/setting.js'

const MARGIN_MS = 5000

const { config } = loadConfig({ env: process.env })

const { DEPLOY_HOSTS, DEPLOY_USER, DEPLOY_REPO, DEPLOY_REF, DEPLOY_PATH, DEPLOY_CONFIG, DEPLOY_TIMEOUT } =
  process.env

/**
 * This environment, and an empty value for each setting that it lacks. When pm2 restarts an application from this
 * file, it takes over only what stands under `env`, and keeps what was there before and is missing now.
 */
function environment() {
  const settings = settingKeys.map(environmentName)
  const names = ['ROOKERY_CONFIG', ...settings, ...settings.map((name) => `ROOKERY_${name}`)]
  const given = Object.entries(process.env).filter(([name]) => /^(?!PM2_)[A-Z]/.test(name))
  return { ...Object.fromEntries(names.map((name) => [name, ''])), ...Object.fromEntries(given) }
}

export const apps = [
  {
    name: 'rookery',
    script: join(import.meta.dirname, 'dist', 'main.js'),
    args: 'start',
    node_args: '--enable-source-maps',
    // Relative paths in settings, such as the data directory, start from the directory in which pm2 is called.
    cwd: process.cwd(),

    // Rookery forks its workers itself: for pm2 it is one process.
    exec_mode: 'fork',
    instances: 1,
    // Signal only the primary, which moves the clients and then ends its workers. pm2's default would signal the
    // workers first.
    treekill: false,
    // pm2's probes would run in every worker and write to the primary every second.
    pmx: false,
    vizion: false,

    // `pm2 start` returns when every worker accepts connections.
    wait_ready: true,
    listen_timeout: config.workerBootTimeoutMs + MARGIN_MS,
    kill_timeout: config.stopDeadlineMs + MARGIN_MS,

    // Up to 15 s. Without `stop_exit_codes`: beside a delay, pm2 shows an application that it has given up as
    // 'waiting restart'. So one with a wrong settings file comes up by itself when the file is right again.
    exp_backoff_restart_delay: 100,

    // Each line already has its time and its process. One log file for all instances, without numbers.
    time: false,
    merge_logs: true,
    env: { ...environment(), LOG_FORMAT: 'json' },
  },
]

export const deploy = {
  production: {
    user: DEPLOY_USER ?? 'rookery',
    host: (DEPLOY_HOSTS ?? 'chat-1.example,chat-2.example,chat-3.example').split(','),
    repo: DEPLOY_REPO ?? 'git@git.example:chat/rookery.git',
    ref: DEPLOY_REF ?? 'origin/main',
    path: DEPLOY_PATH ?? '/opt/rookery',
    // Each machine has its own settings and secrets in this file.
    env: { ROOKERY_CONFIG: DEPLOY_CONFIG ?? '/etc/rookery/rookery.json' },
    // pm2 reports success even if the application does not come up. `wait` fails then, and pm2 goes no further.
    'post-deploy': [
      'npm ci',
      'pm2 startOrRestart ecosystem.config.js',
      `node dist/main.js wait --ready --timeout ${DEPLOY_TIMEOUT ?? '60s'}`,
      'pm2 save',
    ].join(' && '),
  },
}
