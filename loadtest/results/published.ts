/** The published results: commands that anyone can repeat. */
export interface Published {
  /** Name of its file. */
  name: string
  title: string
  /** Arguments of `npm run loadtest --`, without seed and output. */
  command: string
  /** What it shows, and what it does not show. */
  note: string
}

const ALIKE = 'Both run the same module, `loadtest/apps/bench.js`.'

export const published: readonly Published[] = [
  {
    name: 'small-rooms',
    title: 'Small rooms, one host',
    command:
      'compare small-rooms --a sticky-cluster --b rookery --pairs 3 --dialect bench --clients 500 --rate 600 --duration 10',
    note: ALIKE,
  },
  {
    name: 'big-room',
    title: 'One big room, one host',
    command:
      'compare big-room --a sticky-cluster --b rookery --pairs 3 --dialect bench --clients 500 --rate 30 --duration 10',
    note: ALIKE,
  },
  {
    name: 'connect-storm',
    title: 'Connect storm',
    command: 'compare connect-storm --a sticky-cluster --b rookery --pairs 3 --dialect bench',
    note: `${ALIKE} The documented load balancer sometimes loses a first packet; that client connects only after its time-out.`,
  },
  {
    name: 'idle-crowd',
    title: 'Memory of an idle connection',
    command: 'compare idle-crowd --a sticky-cluster --b rookery --pairs 3 --dialect bench --duration 8',
    note: `${ALIKE} Growth of resident memory while clients connect, over all processes; shared pages count in each process.`,
  },
  {
    name: 'two-hosts',
    title: 'Small rooms, two hosts over Redis',
    command:
      'compare small-rooms --a redis-sharded --b rookery --pairs 3 --dialect bench --hosts 2 --workers 1 --clients 400 --rate 300 --duration 10',
    note: `${ALIKE} Two hosts with one worker each, on one machine with two cores.`,
  },
  {
    name: 'chat',
    title: 'The chat with its durable log: small rooms',
    command: 'run small-rooms --target rookery --dialect chat --clients 500 --rate 200 --duration 10',
    note: 'Not comparable with the rows above: here each message is on disk before it is delivered, while those servers store nothing.',
  },
  {
    name: 'jitter-chat',
    title: 'Jitter: each client disconnected every 15 s for 2 s, 120 broadcasts at 2/s (Rookery, the chat)',
    command: 'run jitter --target rookery --dialect chat',
    note: 'Shows what the log and resuming clients achieve.',
  },
  {
    name: 'jitter-streams',
    title: 'Jitter: redis-streams-adapter with connection state recovery',
    command: 'run jitter --target redis-streams --dialect bench',
    note: 'The documented setup that stores messages. Adapters without recovery lose what is sent while a client is away.',
  },
  {
    name: 'avalanche',
    title: 'Avalanche: all 600 connections end at once under load (Rookery, the chat)',
    command: 'run avalanche --target rookery --dialect chat',
    note: '`back`: from the cut to joined again, including the delay before the first attempt (1 to 1.5 s).',
  },
  {
    name: 'avalanche-sticky',
    title: 'Avalanche: sticky and cluster adapter',
    command: 'run avalanche --target sticky-cluster --dialect bench',
    note: 'What is sent while a client is away is lost, as this setup documents.',
  },
  {
    name: 'worker-kill-chat',
    title: 'A worker is killed, 200 clients in one room, 50 messages a second (Rookery, the chat)',
    command:
      'run worker-kills --target rookery --dialect chat --clients 200 --room-size 200 --rate 50 --duration 24',
    note: 'Three kills.',
  },
  {
    name: 'worker-kill-sticky',
    title: 'A worker is killed: sticky and cluster adapter',
    command:
      'run worker-kills --target sticky-cluster --dialect bench --clients 200 --room-size 200 --rate 50 --duration 24',
    note: 'Three kills, the same load.',
  },
  {
    name: 'idle-10000',
    title: '10,000 idle clients',
    command: 'run idle-crowd --target rookery --dialect chat --clients 10000 --duration 10',
    note: 'The chat; the fleet runs on the same two cores.',
  },
  {
    name: 'active-5000',
    title: '5,000 active clients',
    command: 'run small-rooms --target rookery --dialect chat --clients 5000 --rate 200 --duration 15',
    note: 'The chat in rooms of five; the fleet runs on the same two cores.',
  },
]
