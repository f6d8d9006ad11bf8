/**
 * The table of all settings. Types, defaults, names, checks, `--help`, `config print` and docs/settings.md
 * come from it. A setting's key is its name in a file; its environment name and its flag follow from the key
 * (setting.ts).
 */
import { hostname } from 'node:os'
import { defaultWorkers, originOfWorkers } from './default-workers.ts'
import {
  choice,
  integer,
  networks,
  origins,
  path,
  redisUrls,
  secret,
  secrets,
  secureUrl,
  text,
  toggle,
} from './kinds.ts'
import { computed, optional, required, type Setting } from './setting.ts'

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const GIB = 1024 ** 3

const name = text(/^[A-Za-z0-9._-]{1,64}$/, '1 to 64 characters of a-z A-Z 0-9 . _ -')
const address = text(/^[A-Za-z0-9.:_%-]{1,255}$/, 'a host name or an IP address')
const addresses = text(
  /^(?:(?:^|,)(?:\[[0-9A-Fa-f:.]{2,64}\]|[A-Za-z0-9._-]{1,255}):[0-9]{1,5}){1,32}$/,
  'addresses such as 10.0.0.1:26379,10.0.0.2:26379',
)
const line = text(/^[^\r\n\0]{1,1024}$/, '1 to 1024 characters in one line')

/** The machine's host name, with characters that `name` does not allow replaced by `-`. */
function ownHostName(): string {
  return (
    hostname()
      .replaceAll(/[^A-Za-z0-9._-]/g, '-')
      .slice(0, 64) || 'localhost'
  )
}

const settings = {
  port: required(integer(0, 65_535), 3000, {
    section: 'Listening',
    doc: 'Port that clients connect to; 0: any free port.',
  }),
  host: required(address, '0.0.0.0', {
    section: 'Listening',
    doc: 'Address that clients connect to.',
  }),
  backlog: required(integer(1, 65_535), 4096, {
    section: 'Listening',
    unit: 'connections',
    doc: 'Connections that the system may queue before they are accepted (net.core.somaxconn is another limit).',
  }),
  proxyProtocolFrom: optional(networks(), {
    section: 'Listening',
    doc: 'Addresses of load balancers that send the PROXY protocol (version 1 or 2), separated by commas, also as networks: connections from there must begin with it, and have the client address that it tells. From all others it is refused.',
  }),
  corsOrigin: optional(origins(), {
    section: 'Listening',
    doc: 'Web origins whose pages may connect from a browser, separated by commas, or * for all. Unset: with the chat only the origin of this server; an application of your own decides.',
  }),
  corsCredentials: required(toggle(), false, {
    section: 'Listening',
    doc: 'Pages of CORS_ORIGIN may send cookies and other credentials (withCredentials in their client), which sticky load balancers with cookies need. Needs a list in CORS_ORIGIN.',
  }),
  workers: computed(integer(1, 1024), () => defaultWorkers(), {
    section: 'Application',
    unit: 'processes',
    doc: 'Worker processes.',
    defaultDoc: 'one per core; in a container, as many as its CPU quota allows',
    origin: () => originOfWorkers(),
  }),
  app: optional(path(), {
    section: 'Application',
    doc: 'Module with your own application, which every worker runs instead of the chat.',
  }),
  appErrors: required(choice('contain', 'exit'), 'contain', {
    section: 'Application',
    doc: 'contain: an error of the application ends at most the connection that it belongs to; one that belongs to none replaces the worker in order. exit: every error ends the worker, as in plain Node.js.',
  }),
  hostName: computed(name, ownHostName, {
    section: 'Application',
    doc: 'Name of this host in logs, metrics and session ids; hosts of a cluster need different ones.',
    defaultDoc: "the machine's host name",
  }),
  clusterName: required(name, 'rookery', {
    section: 'Several hosts',
    doc: 'Name of the cluster; clusters with different names stay separate, even on one Redis.',
  }),
  redisUrl: optional(redisUrls(), {
    section: 'Several hosts',
    secret: true,
    doc: 'Redis that connects the hosts and stores the rooms: redis://user:password@host:port/database, rediss:// for TLS, unix:/path for a Unix socket. Several addresses, separated by commas: nodes of a Redis Cluster. Unset: a single host.',
  }),
  redisCluster: required(toggle(), false, {
    section: 'Several hosts',
    doc: 'REDIS_URL is one node of a Redis Cluster. Not needed when REDIS_URL has several addresses.',
  }),
  redisSentinels: optional(addresses, {
    section: 'Several hosts',
    doc: 'Sentinels that know the master: host:port, separated by commas. Only user, password, database and rediss:// of REDIS_URL are used then.',
  }),
  redisSentinelName: required(line, 'mymaster', {
    section: 'Several hosts',
    doc: 'Name under which the Sentinels know the master.',
  }),
  redisSentinelUser: optional(line, {
    section: 'Several hosts',
    doc: 'User name for the Sentinels themselves.',
  }),
  redisSentinelPassword: optional(secret(1), {
    section: 'Several hosts',
    secret: true,
    doc: 'Password for the Sentinels themselves.',
  }),
  redisSentinelTls: required(toggle(), false, {
    section: 'Several hosts',
    doc: 'Connect to the Sentinels themselves over TLS.',
  }),
  redisTlsCa: optional(path(), {
    section: 'Several hosts',
    doc: 'File with the certificates (PEM) of the authority that signed the certificates of Redis. Unset: the public authorities.',
  }),
  redisTlsCert: optional(path(), {
    section: 'Several hosts',
    doc: 'File with the certificate (PEM) that this host presents to Redis.',
  }),
  redisTlsKey: optional(path(), {
    section: 'Several hosts',
    doc: 'File with the private key (PEM) of REDIS_TLS_CERT.',
  }),
  redisTlsServername: optional(address, {
    section: 'Several hosts',
    doc: 'Name that the certificate of Redis must have. Unset: the host in the address.',
  }),
  redisTimeoutMs: required(integer(50, MINUTE_MS), 3_000, {
    section: 'Several hosts',
    unit: 'ms',
    doc: 'Time after which an unanswered Redis command or an unconfirmed subscription fails.',
  }),
  redisWaitReplicas: required(integer(0, 16), 0, {
    section: 'Several hosts',
    unit: 'replicas',
    doc: 'Redis replicas that must have a message before it is acknowledged (docs/redis.md); 0: none.',
  }),
  clusterSecret: optional(secret(32), {
    section: 'Several hosts',
    secret: true,
    doc: 'Secret shared by the hosts of the cluster. It signs everything that is sent through Redis, and hosts authenticate to each other with it. Unset: nothing is signed, and hosts authenticate with a secret stored in Redis.',
  }),
  clusterSecretOther: optional(secret(32), {
    section: 'Several hosts',
    secret: true,
    doc: 'A second secret that is accepted but not used for signing, for changing CLUSTER_SECRET host by host.',
  }),
  clusterSecretOld: optional(secrets(32, 8), {
    section: 'Several hosts',
    secret: true,
    doc: 'Former secrets, separated by commas. They verify stored messages and nothing else. `rookery log sign` makes them unnecessary.',
  }),
  emitter: required(choice('off', 'on'), 'off', {
    section: 'Several hosts',
    doc: 'on: programs with @socket.io/redis-emitter on the same Redis can emit to the clients. CLUSTER_SECRET does not protect this: whoever may publish there can (docs/app.md).',
  }),
  emitterKey: required(
    text(/^[A-Za-z0-9._:@/-]{1,128}$/, '1 to 128 characters of a-z A-Z 0-9 . _ : @ / -'),
    'socket.io',
    {
      section: 'Several hosts',
      doc: 'Prefix of the channels of these programs: the key option of their Emitter.',
    },
  ),
  forwardPort: required(integer(0, 65_535), 0, {
    section: 'Several hosts',
    doc: 'Port that other hosts forward connections to; 0: any free port.',
  }),
  forwardHost: optional(address, {
    section: 'Several hosts',
    doc: 'Address to listen on for forwarded connections. Unset: HOST.',
  }),
  advertiseHost: optional(address, {
    section: 'Several hosts',
    doc: 'Address at which other hosts reach this host. Unset: FORWARD_HOST or HOST if that is one address, else the address of the interface that leads to Redis.',
  }),
  auth: required(choice('guest', 'jwt'), 'guest', {
    section: 'Who may connect',
    doc: 'guest: everybody, under a name of their choice. jwt: only with a signed token.',
  }),
  jwtSecret: optional(secret(32), {
    section: 'Who may connect',
    secret: true,
    doc: 'Secret of HS256 tokens. With AUTH=jwt either this or JWKS_URL is needed.',
  }),
  jwtSecretOther: optional(secret(32), {
    section: 'Who may connect',
    secret: true,
    doc: 'A second secret whose tokens are accepted, for changing JWT_SECRET host by host.',
  }),
  jwksUrl: optional(secureUrl(), {
    section: 'Who may connect',
    doc: 'URL of the public key set of an identity provider. Needs JWT_AUDIENCE.',
  }),
  jwtIssuer: optional(line, {
    section: 'Who may connect',
    doc: 'Tokens must come from this issuer (iss).',
  }),
  jwtAudience: optional(line, {
    section: 'Who may connect',
    doc: 'Tokens must be meant for this audience (aud).',
  }),
  apiKey: optional(secret(1), {
    section: 'Who may connect',
    secret: true,
    doc: 'Key of the HTTP API under /api. Unset: the API is off.',
  }),
  peopleSearch: required(toggle(), true, {
    section: 'Who may connect',
    doc: 'Users of the chat can search for everybody who is connected or was lately, by name. Off: they find only people in rooms that they have joined.',
  }),
  dataDir: required(path(), './data', {
    section: 'Data',
    doc: 'Directory of the log, the pid file, the sockets of this host and the files of earlier versions of the page. Only one running Rookery can use it.',
  }),
  retentionMessages: required(integer(1, 1_000_000_000), 10_000, {
    section: 'Data',
    unit: 'messages',
    doc: 'Number of newest messages that a room keeps.',
  }),
  retentionDays: required(integer(1, 36_500), 365, {
    section: 'Data',
    unit: 'days',
    doc: 'Age after which a room drops messages.',
  }),
  headMaxBytes: required(integer(1024, 65_536), 16_384, {
    section: 'Front door',
    unit: 'bytes',
    doc: 'Largest request head.',
  }),
  headTimeoutMs: required(integer(100, 5 * MINUTE_MS), 10_000, {
    section: 'Front door',
    unit: 'ms',
    doc: 'Time within which the first request head of a connection must arrive.',
  }),
  pendingHeads: required(integer(1, 1_000_000), 10_000, {
    section: 'Front door',
    unit: 'connections',
    doc: 'Connections whose request head is incomplete; past the limit the oldest is closed. At most 3/16 of the file descriptors.',
  }),
  handoffQueue: required(integer(1, 1_000_000), 20_000, {
    section: 'Front door',
    unit: 'connections',
    doc: 'Connections that wait for a worker; past the limit new ones get a 503. At most 3/8 of the file descriptors.',
  }),
  handoffTimeoutMs: required(integer(100, 5 * MINUTE_MS), 10_000, {
    section: 'Front door',
    unit: 'ms',
    doc: 'Time that a connection may wait for a worker before it gets a 503.',
  }),
  admissionRate: required(integer(0, 1_000_000), 2000, {
    section: 'Front door',
    unit: 'sessions/s',
    doc: 'New sessions that this host admits per second; 0: no limit.',
  }),
  bodyTimeoutMs: required(integer(100, HOUR_MS), 60_000, {
    section: 'Clients and their limits',
    unit: 'ms',
    doc: 'Time without a byte after which a request whose body is incomplete gets 408. The whole body may take longer.',
  }),
  keepAliveMs: required(integer(0, HOUR_MS), 65_000, {
    section: 'Clients and their limits',
    unit: 'ms',
    doc: 'Time that an HTTP connection stays open between two requests. Longer than the same time of the proxies in front, so that these close first. 0: each response ends its connection.',
  }),
  keepAliveConnections: required(integer(1, 1_000_000), 10_000, {
    section: 'Clients and their limits',
    unit: 'connections',
    doc: 'HTTP connections that a worker keeps open; past the limit the one that is idle for longest is closed. At most a quarter of the file descriptors.',
  }),
  connectTimeoutMs: required(integer(100, 5 * MINUTE_MS), 10_000, {
    section: 'Clients and their limits',
    unit: 'ms',
    doc: 'Time within which a new session must join a namespace.',
  }),
  pingIntervalMs: required(integer(100, HOUR_MS), 25_000, {
    section: 'Clients and their limits',
    unit: 'ms',
    doc: 'Time between two heartbeats of a connection.',
  }),
  pingTimeoutMs: required(integer(100, HOUR_MS), 20_000, {
    section: 'Clients and their limits',
    unit: 'ms',
    doc: 'Time that a client has to answer a heartbeat.',
  }),
  maxPacketBytes: required(integer(1024, 104_857_600), 65_536, {
    section: 'Clients and their limits',
    unit: 'bytes',
    doc: "Size of one packet from a client (Socket.IO's maxHttpBufferSize). Over long polling binary data counts as base64: 65,536 are 49,152 bytes of a Buffer. A longer packet ends the connection; the application's 'disconnect' says 'transport error'.",
  }),
  textMaxChars: required(integer(1, 1_000_000), 4000, {
    section: 'Clients and their limits',
    unit: 'characters',
    doc: 'Longest text of a message, in Unicode code points.',
  }),
  connectionsPerUser: required(integer(0, 1_000_000), 50, {
    section: 'Clients and their limits',
    unit: 'connections',
    doc: 'Connections that one user may have at a time, over all workers and hosts; further ones are refused. 0: no limit.',
  }),
  roomsPerSocket: required(integer(1, 100_000), 100, {
    section: 'Clients and their limits',
    unit: 'rooms',
    doc: 'Rooms that one connection may be in.',
  }),
  messageRate: required(integer(1, 1_000_000), 20, {
    section: 'Clients and their limits',
    unit: 'messages/s',
    doc: 'Messages that a user may send per second, over all workers and hosts.',
  }),
  messageBurst: required(integer(1, 1_000_000), 40, {
    section: 'Clients and their limits',
    unit: 'messages',
    doc: 'Messages that a user may send at once, over all workers and hosts.',
  }),
  requestRate: required(integer(1, 1_000_000), 50, {
    section: 'Clients and their limits',
    unit: 'requests/s',
    doc: 'Other requests that a user may make per second. Requests that read a room are counted over all workers and hosts, the rest on each worker.',
  }),
  requestBurst: required(integer(1, 1_000_000), 100, {
    section: 'Clients and their limits',
    unit: 'requests',
    doc: 'Other requests that a user may make at once, counted in the same way.',
  }),
  slowClientBytes: required(integer(1024, GIB), 262_144, {
    section: 'Clients and their limits',
    unit: 'bytes',
    doc: 'Unsent bytes past which a client gets no room messages, but a gap event later.',
  }),
  slowClientMaxBytes: required(integer(1024, GIB), 4_194_304, {
    section: 'Clients and their limits',
    unit: 'bytes',
    doc: 'Unsent bytes past which a client is disconnected that reads none for SLOW_CLIENT_MS; past 16 times as many it is disconnected at once.',
  }),
  slowClientMs: required(integer(100, HOUR_MS), 30_000, {
    section: 'Clients and their limits',
    unit: 'ms',
    doc: 'Time that a client may stay slow before it is disconnected.',
  }),
  workerHangTimeoutMs: required(integer(0, HOUR_MS), 30_000, {
    section: 'Start and stop',
    unit: 'ms',
    doc: 'Time after which a ready worker that does not answer is killed and replaced; 0: never.',
  }),
  primaryHangTimeoutMs: required(integer(0, HOUR_MS), 30_000, {
    section: 'Start and stop',
    unit: 'ms',
    doc: 'Time after which a primary that does not answer is killed by its workers. They exit too, so that a process manager restarts the host. 0: never.',
  }),
  workerBootTimeoutMs: required(integer(100, HOUR_MS), 30_000, {
    section: 'Start and stop',
    unit: 'ms',
    doc: 'Time within which a new worker must be ready.',
  }),
  drainMs: required(integer(0, HOUR_MS), 10_000, {
    section: 'Start and stop',
    unit: 'ms',
    doc: 'Time over which the clients of a stopping worker move to others.',
  }),
  stopDelayMs: required(integer(0, HOUR_MS), 0, {
    section: 'Start and stop',
    unit: 'ms',
    doc: 'At a stop: time from the first 503 of /readyz to the end of the port and the move of the clients, so that the checks of a balancer notice first.',
  }),
  stopDeadlineMs: required(integer(1, 2 * HOUR_MS), 15_000, {
    section: 'Start and stop',
    unit: 'ms',
    doc: 'Time after which processes that have not stopped are killed; at least 5000 more than STOP_DELAY_MS and DRAIN_MS.',
  }),
  adminPort: required(integer(0, 65_535), 9464, {
    section: 'Operation',
    doc: 'Port of the admin listener (/metrics, /status); 0: any free port.',
  }),
  adminHost: required(address, '127.0.0.1', {
    section: 'Operation',
    doc: 'Address of the admin listener. It has no password: keep it off public networks.',
  }),
  emitToken: optional(secret(32), {
    section: 'Operation',
    secret: true,
    doc: 'Token with which `rookery emit` and POST /emit on the admin listener emit events to clients of the whole cluster. Unset: nobody can.',
  }),
  logLevel: required(choice('trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'), 'info', {
    section: 'Operation',
    doc: 'Lowest level that is logged.',
  }),
  logFormat: required(choice('auto', 'json', 'pretty'), 'auto', {
    section: 'Operation',
    doc: 'json: one object per line. pretty: for people. auto: pretty on a terminal, else json.',
  }),
} as const

type Settings = typeof settings
export type SettingKey = keyof Settings
export type Config = {
  readonly [K in SettingKey]: Settings[K] extends Setting<infer V> ? V : never
}

export const settingKeys = Object.keys(settings) as SettingKey[]

export function isSettingKey(key: string): key is SettingKey {
  return Object.hasOwn(settings, key)
}

export function settingOf(key: SettingKey): Setting<unknown> {
  return settings[key]
}
