/**
 * For pm2: `pm2 start ecosystem.config.js`, reload with `pm2 sendSignal SIGHUP rookery`.
 * Settings come from the environment of the pm2 command and from the file that ROOKERY_CONFIG names.
 *
 * Several machines: `pm2 deploy ecosystem.config.js production`, with DEPLOY_HOSTS, DEPLOY_REPO … in the environment
 * (docs/deploy.md). It updates one machine after another, and continues only when the machine before is ready again.
 */
import { join } from 'node:path'
import { loadConfig } from './dist/config/load.js'

const MARGIN_MS = 5000

const { config } = loadConfig({ env: process.env })

const { DEPLOY_HOSTS, DEPLOY_USER, DEPLOY_REPO, DEPLOY_REF, DEPLOY_PATH, DEPLOY_CONFIG } = process.env

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

    exp_backoff_restart_delay: 100,
    // A restart can't fix wrong usage or wrong settings.
    stop_exit_codes: [2, 3],

    // Each line already has its time and its process. One log file for all instances, without numbers.
    time: false,
    merge_logs: true,
    env: { LOG_FORMAT: 'json' },
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
    'post-deploy': 'npm ci && pm2 startOrRestart ecosystem.config.js --update-env && pm2 save',
  },
}
